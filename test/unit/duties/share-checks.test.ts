import { beforeEach, expect, it } from "vitest";
import type { Duty } from "../../../src/duties/duty.ts";
import { shareChecks } from "../../../src/duties/share-checks.ts";
import { checkBatch } from "../../../src/store/batch.ts";
import { ASSIGNMENT } from "../../../src/store/keys/assignment-record.ts";
import type { Entry } from "../../../src/store/state-store.ts";

const REVISION = { epoch: 0, position: 1 };
const entries = new Map<string, Entry>();
let live: readonly string[];
let duty: Duty;

beforeEach(() => {
  entries.clear();
  const read = async () => ({ entries: [...entries.values()], revision: REVISION });
  duty = shareChecks({ read }, () => live);
});

/** What each worker's share names after one more look at who lives. */
async function look(...workers: readonly string[]) {
  live = workers;
  for (const op of (await duty.plan(0)).batches.flat()) {
    if (op.op === "put") entries.set(op.key, { key: op.key, value: op.value, revision: REVISION });
    else entries.delete(op.key);
  }
  return Object.fromEntries([...entries].map(([key, { value }]) => [key, ASSIGNMENT.decode(value)?.workers.join()]));
}

it("shares out over those that live, and takes away what the others had", async () => {
  expect(await look("a", "b")).toEqual({ "assign/a": "a,b", "assign/b": "a,b" });
  expect(await look("a")).toEqual({ "assign/a": "a" });
});

it("gives a worker its share again that is back by the next look", async () => {
  const both = await look("a", "b");
  await look("a", "b");
  await look("a");
  expect(await look("a", "b")).toEqual(both);
});

it("takes away what lies under a key that no store takes", async () => {
  entries.set("assign/_[2J", { key: "assign/_[2J", value: new Uint8Array([1]), revision: REVISION });
  live = ["a"];
  const ops = (await duty.plan(0)).batches.flat();
  expect(() => checkBatch({ ops, cause: { actor: "", operation: "", reason: "", requestId: "" } })).not.toThrow();
  expect(await look("a")).toEqual({ "assign/a": "a" });
});
