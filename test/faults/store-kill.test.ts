import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { systemClock } from "../../src/runtime/clock.ts";
import { openDirectoryStore } from "../support/embedded-store.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { KEYS } from "./store-writes.ts";

const ROUNDS = 40;
const WRITER = fileURLToPath(new URL("store-writer.ts", import.meta.url));

/** A small generator, so that a failing run can be tried again with its seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test("every acknowledged write is there, and none is torn, however often the writer is killed", async () => {
  const seed = Number(process.env.FAIRLEAD_SEED ?? Date.now() % 1_000_000);
  const random = seeded(seed);
  using folder = tempFolder();
  const acknowledged = new Map<number, number>();
  let firstBatch = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const lines = await writeUntilKilled(folder.path, firstBatch, random);
    for (const [batch, position] of lines) acknowledged.set(batch, position);
    firstBatch = await check(folder.path, acknowledged, `seed ${seed}, round ${round}`);
  }
  expect(acknowledged.size, `seed ${seed}`).toBeGreaterThan(ROUNDS * 5);
});

/** Returns what was acknowledged. The writer dies at a random moment: at times while it opens, mostly while it writes. */
async function writeUntilKilled(directory: string, firstBatch: number, random: () => number) {
  const child = spawn(process.execPath, [WRITER, directory, String(firstBatch)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
  });
  const closed = once(child, "close");
  const duringOpen = random() < 0.15;
  if (!duringOpen) await Promise.race([once(child.stdout, "data"), closed]);
  await sleep(random() * (duringOpen ? 400 : 120));
  expect(child.exitCode, "the writer ended by itself").toBeNull();
  child.kill("SIGKILL");
  await closed;
  const whole = output.slice(0, output.lastIndexOf("\n") + 1);
  return whole.split("\n").flatMap((line): [number, number][] => {
    const [batch, position] = line.split(" ").map(Number);
    return batch === undefined || position === undefined ? [] : [[batch, position]];
  });
}

/** Returns the number that the next writer begins with. */
async function check(directory: string, acknowledged: ReadonlyMap<number, number>, run: string): Promise<number> {
  const { state, journal } = await openDirectoryStore({ directory, clock: systemClock });
  const { entries, revision } = await state.read("");
  const journaled = new Map((await journal.list({ limit: 1_000_000 })).map((entry) => [entry.requestId, entry]));
  for (const [batch, position] of acknowledged) {
    expect(position, run).toBeLessThanOrEqual(revision.position);
    expect(journaled.get(`batch-${batch}`)?.revision.position, `${run}, batch ${batch}`).toBe(position);
  }
  const groups = Map.groupBy(entries, ({ key }) => key.split("/")[0]);
  const newest = new Map<string, number>();
  for (const { requestId, keys, revision } of journaled.values()) {
    const group = String(keys[0]?.split("/")[0]);
    const batch = Number(requestId.slice("batch-".length));
    if (revision.position > (newest.get(group) ?? 0)) newest.set(group, revision.position);
    expect(keys, `${run}, batch ${batch}`).toHaveLength(KEYS);
  }
  for (const [group, held] of groups) {
    const values = new Set(held.map(({ value }) => new TextDecoder().decode(value).trim()));
    const positions = new Set(held.map(({ revision }) => revision.position));
    expect([held.length, values.size, positions.size], `${run}, ${group}`).toEqual([KEYS, 1, 1]);
    expect([...positions][0], `${run}, ${group}`).toBe(newest.get(String(group)));
    const copies = await state.history(`${group}/0`);
    expect(copies[0]?.revision.position, `${run}, ${group}`).toBe([...positions][0]);
  }
  await state.close();
  return Math.max(-1, ...[...journaled.keys()].map((id) => Number(id.slice("batch-".length)))) + 1;
}
