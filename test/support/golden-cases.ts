import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { LedsRecord } from "../../src/domain/leds-record.ts";
import type { Name } from "../../src/domain/name.ts";
import type { State } from "../../src/domain/state.ts";
import { objectsOf, stateOf } from "./state-of.ts";

export const GOLDEN_CASES = join(import.meta.dirname, "../golden/resources/cases");

/** Files of manifests, each with the resources it becomes beside it. */
export function goldenCases(): readonly string[] {
  return readdirSync(GOLDEN_CASES).filter((file) => file.endsWith(".yaml"));
}

/** As the duty would commit them: for the services that ask for LEDS, with one member that has left. */
function ledsRecords(objects: ReturnType<typeof objectsOf>): ReadonlyMap<Name, LedsRecord> {
  const record = { generation: "g1", epoch: 1, digest: "", departed: ["0123456789abcdef/gone"] };
  return new Map(
    objects.flatMap(([kind, object]) =>
      kind === "service" && object.endpointDiscovery === "LEDS" ? [[object.name, record] as const] : [],
    ),
  );
}

export function goldenState(file: string): State {
  const documents = parseAllDocuments(readFileSync(join(GOLDEN_CASES, file), "utf8"));
  const objects = objectsOf(documents.map((document) => document.toJS()));
  return stateOf(objects, ledsRecords(objects));
}
