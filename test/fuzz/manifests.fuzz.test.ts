import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseManifests, problemLines } from "../../src/cli/manifest.ts";
import { type Attack, CAMPAIGN_TIMEOUT_MS, campaign } from "./campaign.ts";
import { hostileText } from "./dictionary.ts";
import { mutateText } from "./mutate-bytes.ts";

const folder = join(import.meta.dirname, "../golden/resources/cases");
const corpus = readdirSync(folder)
  .filter((file) => file.endsWith(".yaml"))
  .map((file) => readFileSync(join(folder, file), "utf8"));

/** A text may be refused; it must be refused soon, with a reason. */
function read(text: string): void {
  const from = performance.now();
  const { problems } = parseManifests([{ file: "fuzz.yaml", text }]);
  if (problems.length > 0) expect(problemLines(problems).join("")).not.toBe("");
  expect(performance.now() - from).toBeLessThan(2000);
}

const mutated: Attack = {
  name: "mutated manifests",
  weight: 10,
  run: async (chance) => {
    for (let i = 0; i < 20; i++) read(mutateText(chance.oneOf(corpus), chance));
  },
};

const odd: Attack = {
  name: "odd values under the keys of a manifest",
  weight: 5,
  run: async (chance) => {
    const key = chance.oneOf(["name", "kind", "address", "hosts", "healthCheck", hostileText(chance)]);
    read(`kind: Service\n${JSON.stringify(key)}: ${JSON.stringify(hostileText(chance))}\n`);
  },
};

const bomb: Attack = {
  name: "aliases of aliases, and deep nesting",
  run: async () => {
    const levels = Array.from({ length: 20 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`);
    read(`kind: Service\na0: &a0 [x]\n${levels.join("\n")}\n`);
    read(`kind: Service\nname: ${"[".repeat(5000)}`);
    read(`kind: Service\nname: ${"{a: ".repeat(5000)}`);
  },
};

test(
  "no manifest ends the command line or keeps it busy",
  () => campaign({ check: async () => undefined }, [mutated, odd, bomb]),
  CAMPAIGN_TIMEOUT_MS,
);
