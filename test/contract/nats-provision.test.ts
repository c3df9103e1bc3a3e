import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { provisionNats } from "../../src/nats/provision.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { type NatsCluster, startNats } from "../support/nats.ts";

let cluster: NatsCluster;
beforeAll(async () => {
  cluster = await startNats({ size: 3 });
});
afterAll(() => cluster?.stop());

const provision = (bucket: string, replicas: number) =>
  provisionNats({ servers: cluster.urls, bucket, replicas, clock: systemClock });
const outcomes = (streams: Awaited<ReturnType<typeof provision>>) => streams.map(({ outcome }) => outcome);

it("makes the buckets, leaves them as they are, and gives them more copies of what is in them", async () => {
  expect(await provision("a", 1)).toEqual([
    { stream: "KV_a", outcome: "made" },
    { stream: "KV_a-lease", outcome: "made" },
  ]);
  await using connection = await connect({ servers: [...cluster.urls] });
  const { streams } = await jetstreamManager(connection);
  await connection.request("$KV.a.state.kept", "1");
  expect(outcomes(await provision("a", 1))).toEqual(["unchanged", "unchanged"]);
  expect(outcomes(await provision("a", 3))).toEqual(["changed", "changed"]);
  const { config, state } = await streams.info("KV_a");
  expect(config).toMatchObject({ num_replicas: 3, allow_atomic: true });
  expect(state.messages).toBe(1);
});

it("leaves a stream of another application alone", async () => {
  await using connection = await connect({ servers: [...cluster.urls] });
  const { streams } = await jetstreamManager(connection);
  await streams.add({ name: "KV_b", subjects: ["$KV.b.>"] });
  await expect(provision("b", 1)).rejects.toMatchObject({ code: "NOT_A_FAIRLEAD_STORE", details: { stream: "KV_b" } });
  expect((await streams.info("KV_b")).config.num_replicas).toBe(1);
});
