import { join } from "node:path";
import { expect, test } from "vitest";
import { conditions } from "../../../src/domain/conditions.ts";
import { resourcesOf } from "../../../src/resources/content.ts";
import { derive } from "../../../src/resources/derive.ts";
import type { Resource } from "../../../src/resources/resource.ts";
import { FEATURE_LEVELS } from "../../../src/resources/view.ts";
import { resourceJson } from "../../support/envoy-types.ts";
import { GOLDEN_CASES, goldenCases, goldenState } from "../../support/golden-cases.ts";

test.each(goldenCases())("%s becomes its Envoy resources", async (file) => {
  const state = goldenState(file);
  const fleets = Object.fromEntries(
    [...state.all("fleet")].flatMap(({ name }) => {
      const [base, leds, grpc = []] = FEATURE_LEVELS.map((level) =>
        Array.from(resourcesOf(derive(state, { fleet: name, level })), described),
      );
      const isSame = JSON.stringify(base) === JSON.stringify(leds);
      return [
        [name, base],
        ...(isSame ? [] : [[`${name}, by LEDS`, leds]]),
        ...(grpc.length === 0 ? [] : [[`${name}, gRPC clients`, grpc]]),
      ];
    }),
  );
  const gone = [...state.all("fleet")].flatMap(({ name }) => {
    const names = [...derive(state, { fleet: name, level: "leds" }).values()].flatMap(({ departed }) => [
      ...(departed?.names ?? []),
    ]);
    return names.length > 0 ? [[name, names]] : [];
  });
  const departed = gone.length > 0 ? Object.fromEntries(gone) : undefined;
  const told = Object.fromEntries([...conditions(state)].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const golden = `${JSON.stringify({ fleets, departed, conditions: told }, null, 2)}\n`;
  await expect(golden).toMatchFileSnapshot(join(GOLDEN_CASES, file.replace(".yaml", ".json")));
});

function described(resource: Resource) {
  const { typeUrl, name, version, references, objects } = resource;
  return {
    type: shortType(typeUrl),
    name,
    version,
    references: references.map((reference) => `${shortType(reference.typeUrl)} ${reference.name}`),
    objects: objects.map((object) => `${object.kind} ${object.name}`),
    body: resourceJson(resource),
  };
}

function shortType(typeUrl: string): string {
  return typeUrl.split(".").at(-1) ?? "";
}
