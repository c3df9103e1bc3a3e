import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createRegistry, toJson } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { conditions } from "../../../src/domain/conditions.ts";
import { deriveFleet } from "../../../src/resources/derive-fleet.ts";
import { decodeResource, ENVOY_TYPES } from "../../support/envoy-types.ts";
import { objectsOf, stateOf } from "../../support/state-of.ts";

const CASES = join(import.meta.dirname, "cases");

test.each(readdirSync(CASES).filter((file) => file.endsWith(".yaml")))(
  "%s becomes its Envoy resources",
  async (file) => {
    const manifests = parseAllDocuments(readFileSync(join(CASES, file), "utf8")).map((document) => document.toJS());
    const state = stateOf(objectsOf(manifests));
    const registry = createRegistry(...ENVOY_TYPES);
    const fleets: Record<string, unknown> = {};
    for (const fleet of state.all("fleet")) {
      fleets[fleet.name] = deriveFleet(state, fleet).resources.map((resource) => {
        const { desc, message } = decodeResource(resource);
        const { typeUrl, name, version, references, objects } = resource;
        const about = {
          references: references.map(({ typeUrl, name }) => `${typeUrl.split(".").at(-1)} ${name}`),
          objects,
        };
        return { type: typeUrl.split(".").at(-1), name, version, ...about, body: toJson(desc, message, { registry }) };
      });
    }
    const told = Object.fromEntries([...conditions(state)].toSorted(([a], [b]) => (a < b ? -1 : 1)));
    const golden = `${JSON.stringify({ fleets, conditions: told }, null, 2)}\n`;
    await expect(golden).toMatchFileSnapshot(join(CASES, file.replace(".yaml", ".json")));
  },
);
