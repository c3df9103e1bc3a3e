import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { manifest, service } from "../support/manifest.ts";
import { type Plane, startPlane } from "../support/plane.ts";
import { startReplicas } from "../support/replicas.ts";
import { tempFolder } from "../support/temp-folder.ts";

const BACKENDS = 3_000;
const ROUNDS = 4;

/** A state that can be told from every other by the weight of all its backends. */
function stateOf(weight: number): string {
  const backends = Array.from({ length: BACKENDS }, (_, i) => ({
    kind: "Backend",
    name: `shop/b-${i}`,
    address: `10.0.${i >> 8}.${i & 255}:80`,
    weight,
  }));
  return manifest(service("shop"), ...backends);
}

async function weightsOf(plane: Plane): Promise<string> {
  const backends = JSON.parse(await plane.mustCli("get", "backends", "-o", "json")) as { weight?: number }[];
  return `${backends.length} of weight ${[...new Set(backends.map(({ weight }) => weight))].join(" and ")}`;
}

const whole = (weight: number) => `${BACKENDS} of weight ${weight}`;

/** Makes the state be one or the other, by import and by restore in turn, and kills the plane somewhere in between. Returns how often it was in between. */
async function killedInBetween(victim: Plane, witness: Plane | undefined): Promise<number> {
  using folder = tempFolder();
  const file = (name: string) => join(folder.path, name);
  for (const weight of [1, 2]) {
    writeFileSync(file(`${weight}.yaml`), stateOf(weight));
    await victim.mustCli("import", "--replace", file(`${weight}.yaml`));
    await victim.mustCli("backup", file(`${weight}.backup`));
  }
  const replace = (weight: number, round: number) =>
    round % 2 === 0
      ? victim.cli("import", "--replace", file(`${weight}.yaml`))
      : victim.cli("restore", "--replace", file(`${weight}.backup`));
  const startedAt = performance.now();
  await victim.mustCli("restore", "--replace", file("1.backup"));
  const wholeMs = performance.now() - startedAt;
  let killed = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const weight = round % 4 < 2 ? 2 : 1;
    const replacing = replace(weight, round);
    await sleep(wholeMs * (0.4 + (0.6 * (round + 1)) / ROUNDS));
    await victim.kill9();
    if ((await replacing).code !== 0) killed += 1;
    await victim.restart();
    const found = await weightsOf(victim);
    expect([whole(1), whole(2)], `round ${round}`).toContain(found);
    if (witness !== undefined) expect(await weightsOf(witness), `round ${round}`).toBe(found);
    await victim.mustCli("restore", "--replace", file(`${3 - weight}.backup`));
    expect(await weightsOf(victim)).toBe(whole(3 - weight));
  }
  return killed;
}

test("a plane that is killed while its state is replaced has the old state or the new one", async () => {
  await using plane = await startPlane();
  expect(await killedInBetween(plane, undefined)).toBeGreaterThan(0);
});

test("so have all replicas on NATS, whichever of them is killed", async () => {
  await using replicas = await startReplicas({ planes: 2, servers: 1 });
  const [victim, witness] = replicas.planes;
  if (victim === undefined || witness === undefined) throw new Error("two planes were asked for");
  expect(await killedInBetween(victim, witness)).toBeGreaterThan(0);
});
