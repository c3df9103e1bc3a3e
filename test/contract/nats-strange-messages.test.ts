import { jetstream } from "@nats-io/jetstream";
import { connect, headers } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openNatsStore } from "../../src/nats/open-nats-store.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/logger.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import type { ArchiveRecord } from "../../src/store/archive.ts";
import { newContainment } from "../support/containment.ts";
import { type NatsCluster, startNats } from "../support/nats.ts";
import { cause, put } from "./contract-store.ts";

const GARBAGE = Uint8Array.of(255, 0, 255);
const BUCKET = "strange";

describe("a bucket with messages that no release writes", () => {
  let cluster: NatsCluster;
  beforeAll(async () => {
    cluster = await startNats({ size: 1 });
  });
  afterAll(() => cluster?.stop());

  const open = (more: { isForReplacement?: boolean } = {}) =>
    openNatsStore({
      servers: cluster.urls,
      bucket: BUCKET,
      replicas: 1,
      replica: "one",
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      containment: newContainment(),
      ...more,
    });

  async function publish(messages: readonly (readonly [subject: string, value: Uint8Array, mark?: string])[]) {
    const connection = await connect({ servers: [...cluster.urls] });
    for (const [subject, value, mark] of messages) {
      const given = headers();
      if (mark !== undefined) given.set("Fairlead-Batch", mark);
      await jetstream(connection).publish(`$KV.${BUCKET}.${subject}`, value, { headers: given });
    }
    await connection.close();
  }

  it("is read, written, kept and replaced all the same", async () => {
    const store = await open();
    const history = { generation: 1, keep: 20 };
    await store.state.commit({
      ops: [put("a", "1", { history })],
      cause: cause({ operation: "test", requestId: "r-1" }),
    });
    await publish([
      ["root.first.state.b", GARBAGE, "x/y/z"],
      ["root.first.state.c", GARBAGE, "1/1000000/0"],
      ["root.first.state.d", GARBAGE, "5/2/-1"],
      ["root.first.state.Ümlaut=ü", GARBAGE],
      ["root.first.state.e", new Uint8Array(900_000)],
      ["root.first.history.7.a", GARBAGE],
      ["root.first.history.seven.a", GARBAGE],
      ["root.first.journal.x", GARBAGE],
      ["root.first.journal.y", Buffer.from('{"actor":1,"keys":[2]}')],
      ["epoch", GARBAGE],
      ["tick.x", GARBAGE],
      ["unused.x", GARBAGE],
    ]);
    const { revision } = await store.state.commit({ ops: [put("a", "2")], cause: cause({ operation: "test" }) });
    const { entries } = await store.state.read("");
    expect(entries.map(({ key }) => key).toSorted()).toEqual(["a", "b", "c", "d", "e", "Ümlaut=ü"].toSorted());
    expect(await store.state.barrier()).toMatchObject({ epoch: 1 });
    expect(await store.state.history("a")).toHaveLength(1);
    expect(await store.journal.list({ limit: 10 })).toMatchObject([{ keys: ["a"], revision }, { requestId: "r-1" }]);
    const records: ArchiveRecord[] = [];
    for await (const part of (await store.archive.read()).parts) records.push(...part);
    expect(records.map(({ kind }) => kind).toSorted()).toEqual([
      "copy",
      ...Array<string>(6).fill("entry"),
      ...["journal", "journal"],
    ]);
    const strange = entries.filter(({ key }) => key !== "a");
    await store.state.commit({
      ops: strange.map(({ key, revision }) => ({ op: "delete", key, guard: revision })),
      cause: cause(),
    });
    expect((await store.state.read("")).entries.map(({ key }) => key)).toEqual(["a"]);
    await store.state.close();

    await expect(open()).rejects.toMatchObject({ kind: "corrupt", code: "STORE_CORRUPT" });
    const replacing = await open({ isForReplacement: true });
    expect((await replacing.state.read("")).entries).toEqual([]);
    const parts = (async function* () {
      yield [{ kind: "entry", key: "restored", value: Uint8Array.of(1) } as const];
    })();
    await replacing.archive.replace(parts, { cause: cause({ operation: "restore" }), keys: [], laterThan: () => 1 });
    await replacing.state.close();
    const again = await open();
    expect((await again.state.read("")).entries.map(({ key }) => key)).toEqual(["restored"]);
    await again.state.close();
  });
});
