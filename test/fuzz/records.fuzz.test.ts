import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { subjectsOf } from "../../src/nats/subjects.ts";
import { eventually } from "../support/eventually.ts";
import { type NatsCluster, startNats } from "../support/nats.ts";
import { type Attack, CAMPAIGN_TIMEOUT_MS, campaign } from "./campaign.ts";
import { type FuzzedPlane, startFuzzedPlane } from "./fuzzed-plane.ts";
import { type StoredBytes, storedBytes } from "./stored-bytes.ts";

let nats: NatsCluster;
let connection: NatsConnection;
let fuzzed: FuzzedPlane;
let content: StoredBytes[];
const subjects = subjectsOf("fairlead");

beforeAll(async () => {
  nats = await startNats({ size: 1 });
  fuzzed = await startFuzzedPlane({ nats: nats.urls, replica: "plane-1" });
  connection = await connect({ servers: [...nats.urls] });
  content = await bucketContent();
});

afterAll(async () => {
  await connection?.close();
  await fuzzed?.[Symbol.asyncDispose]();
  await nats?.stop();
});

const poison: Attack = {
  name: "records in the bucket that no plane wrote",
  weight: 20,
  run: async (chance) => {
    for (let i = 0; i < 20; i++) {
      const { key, value } = storedBytes(content, chance);
      await connection.request(subjects.state(key), value, { timeout: 2000 }).catch(() => undefined);
    }
  },
};

const restart: Attack = {
  name: "a start on a bucket with such records",
  run: async () => {
    await fuzzed.plane.kill9();
    await fuzzed.plane.restart();
    await fuzzed.reconnected();
  },
};

test(
  "no record in the bucket ends a plane, keeps it from starting or keeps others waiting",
  async () => {
    await campaign(fuzzed, [poison, restart]);
    // What is under those keys is named, with what to do.
    expect(await fuzzed.plane.mustCli("status")).toMatch(/stored/);
  },
  CAMPAIGN_TIMEOUT_MS,
);

test(
  "a plane starts on a database with such records, and serves the rest",
  async () => {
    await using embedded = await startFuzzedPlane();
    const file = join(embedded.plane.dataFolder, "fairlead.db");
    const poisonFile: Attack = {
      name: "records in the database that no plane wrote",
      run: async (chance) => {
        await embedded.plane.kill9();
        const database = new DatabaseSync(file);
        const rows = database.prepare("SELECT key, value FROM entries WHERE value IS NOT NULL").all();
        const insert = database.prepare(
          "INSERT OR REPLACE INTO entries (key, position, at, value) VALUES (?, 1, 1, ?)",
        );
        for (let i = 0; i < 10; i++) {
          const { key, value } = storedBytes(rows as unknown as StoredBytes[], chance);
          insert.run(key, value);
        }
        database.close();
        await embedded.plane.restart();
        await embedded.reconnected();
      },
    };
    await campaign(embedded, [poisonFile]);
  },
  CAMPAIGN_TIMEOUT_MS,
);

async function bucketContent(): Promise<StoredBytes[]> {
  const api = await jetstreamManager(connection);
  const { state } = await api.streams.info(subjects.stream, { subjects_filter: subjects.state(">") });
  const found: StoredBytes[] = [];
  for (const subject of Object.keys(state.subjects ?? {})) {
    const stored = await api.streams.getMessage(subjects.stream, { last_by_subj: subject });
    if (stored !== null) found.push({ key: subjects.keyOf(subject) ?? "", value: stored.data });
  }
  return await eventually(
    () => found,
    ({ length }) => length > 0,
    { what: "the bucket holds something" },
  );
}
