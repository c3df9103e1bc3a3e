import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openNatsStore } from "../../src/nats/open-nats-store.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/logger.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { newContainment } from "../support/containment.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { type NatsCluster, startNats } from "../support/nats.ts";
import { cause, put } from "./contract-store.ts";

/** A user that may do all but look at streams. */
const CONFIG = `
  accounts {
    A { jetstream: enabled, users: [
      { user: all, password: all },
      { user: blind, password: blind, permissions: { publish: { deny: "$JS.API.STREAM.INFO.>" } } } ] }
    B { users: [ { user: without, password: without } ] }
  }`;

describe("the NATS store", () => {
  let cluster: NatsCluster;
  beforeAll(async () => {
    cluster = await startNats({ size: 1, config: CONFIG });
  });
  afterAll(() => cluster?.stop());

  const open = (bucket: string, { servers = cluster.urls, user = "all", replicas = 1, replica = "one" } = {}) =>
    openNatsStore({
      servers,
      bucket,
      replicas,
      replica,
      security: { user, pass: user },
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      containment: newContainment(),
    });
  const manage = async () => {
    const connection = await connect({ servers: cluster.urls[0] ?? "", user: "all", pass: "all" });
    return { connection, api: await jetstreamManager(connection) };
  };

  it("refuses a server that is not there, and names it", async () => {
    const servers = [`nats://127.0.0.1:${await freePort()}`];
    await expect(open("a", { servers })).rejects.toMatchObject({
      kind: "unavailable",
      code: "NATS_UNREACHABLE",
      details: { servers: servers[0] },
    });
  });

  it("refuses an account without JetStream", async () => {
    await expect(open("a", { user: "without" })).rejects.toMatchObject({
      kind: "precondition",
      code: "NATS_WITHOUT_JETSTREAM",
    });
  });

  it("names the permission that is missing", async () => {
    await expect(open("a", { user: "blind" })).rejects.toMatchObject({
      kind: "precondition",
      code: "NATS_PERMISSION_MISSING",
      details: { subject: "$JS.API.STREAM.INFO.KV_a" },
    });
  });

  it("refuses a bucket of another application, of a newer release, and one that lost a setting", async () => {
    const { connection, api } = await manage();
    const make = async (bucket: string, metadata: Record<string, string>) => {
      await api.streams.add({ name: `KV_${bucket}`, subjects: [`$KV.${bucket}.>`], max_msgs_per_subject: 1, metadata });
    };
    await make("songs", {});
    await expect(open("songs")).rejects.toMatchObject({ kind: "precondition", code: "NOT_A_FAIRLEAD_STORE" });
    await make("newer", { "fairlead.application": "state", "fairlead.schema": "999" });
    await expect(open("newer")).rejects.toMatchObject({ kind: "precondition", code: "WRITTEN_BY_NEWER_RELEASE" });
    await make("plain", { "fairlead.application": "state", "fairlead.schema": "1" });
    await expect(open("plain")).rejects.toMatchObject({ kind: "precondition", code: "BUCKET_MISCONFIGURED" });
    const { state } = await open("copies");
    await state.close();
    await expect(open("copies", { replicas: 3 })).rejects.toMatchObject({
      code: "BUCKET_MISCONFIGURED",
      details: { setting: "num_replicas", found: "1", needed: "3" },
    });
    await connection.close();
  });

  it("refuses a name that another one bears, and not that of one that has gone", async () => {
    const taken = { kind: "precondition", code: "REPLICA_NAME_TAKEN", details: { replica: "one", bucket: "named" } };
    const first = await open("named");
    await expect(open("named")).rejects.toMatchObject(taken);
    const other = await open("named", { replica: "two" });
    await first.state.close();
    const again = await open("named");
    await Promise.all([again.state.close(), other.state.close()]);
  });

  it("freezes, and keeps what it has, when the bucket is put back without a new epoch", async () => {
    const store = await open("replaced");
    await store.state.commit({ ops: [put("a", "1")], cause: cause() });
    const { connection, api } = await manage();
    await api.streams.delete("KV_replaced");
    const again = await open("replaced", { replica: "two" });
    await eventually(
      () => store.status().frozen,
      (frozen) => frozen !== undefined,
      { what: "the mirror freezes", timeoutMs: 15_000 },
    );
    await expect(store.state.commit({ ops: [put("a", "2")], cause: cause() })).rejects.toMatchObject({
      kind: "unavailable",
      code: "STORE_REPLACED",
    });
    expect(await store.state.get("a")).toBeDefined();
    await Promise.all([store.state.close(), again.state.close()]);
    await connection.close();
  });

  it("does not count a write that went into another bucket of the same name", async () => {
    const store = await open("exchanged");
    for (let i = 0; i < 20; i++) await store.state.commit({ ops: [put(`a/${i}`, "1")], cause: cause() });
    const { connection, api } = await manage();
    await api.streams.delete("KV_exchanged");
    const again = await open("exchanged", { replica: "two" });
    await expect(store.state.commit({ ops: [put("new", "1")], cause: cause() })).rejects.toMatchObject({
      kind: "unavailable",
      code: "OUTCOME_UNKNOWN",
    });
    await eventually(
      () => store.status().frozen,
      (frozen) => frozen !== undefined,
      { what: "the mirror freezes", timeoutMs: 15_000 },
    );
    await Promise.all([store.state.close(), again.state.close()]);
    await connection.close();
  });

  it("fails writes at once while no server is connected, serves reads, and resumes by itself", async () => {
    const store = await open("away");
    await store.state.commit({ ops: [put("a", "1")], cause: cause() });
    const [server] = cluster.servers;
    await server?.kill();
    const write = () => store.state.commit({ ops: [put("a", "2")], cause: cause() });
    await eventually(
      () => write().catch((error: { code: string }) => error.code),
      (code) => code === "STORE_UNREACHABLE",
      { what: "writes are refused" },
    );
    const before = performance.now();
    await expect(write()).rejects.toMatchObject({ kind: "unavailable", code: "STORE_UNREACHABLE" });
    expect(performance.now() - before).toBeLessThan(500);
    expect(await store.state.get("a")).toBeDefined();
    await server?.restart();
    await eventually(write, ({ revision }) => revision.position > 0, { what: "writes resume" });
    await store.state.close();
  });
});
