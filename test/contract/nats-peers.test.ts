/** Replicas on a real nats-server, and somebody there who is none. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openNatsStore } from "../../src/nats/open-nats-store.ts";
import { encodePosition, MAX_POSITION_BYTES, type SaidPosition } from "../../src/nats/peer-position.ts";
import { answerParts, decodeQuestion, encodeNameQuestion, encodeQuestion } from "../../src/nats/peer-question.ts";
import { SEAL_BYTES, seal } from "../../src/nats/peer-seal.ts";
import { subjectsOf } from "../../src/nats/subjects.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/logger.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { MAX_PEERS, PEER_SILENCE_MS, type PeerHandler, type RefusedReason } from "../../src/store/peers.ts";
import type { Store } from "../../src/store/store.ts";
import { newContainment } from "../support/containment.ts";
import { eventually } from "../support/eventually.ts";
import { administer, type NatsCluster, startNats } from "../support/nats.ts";
import { PeerForger } from "../support/peer-forger.ts";
import { bytes, cause, put, text } from "./contract-store.ts";

let cluster: NatsCluster;
let buckets = 0;
let bucket: string;
let forger: PeerForger;
const stores: Store[] = [];

beforeAll(async () => {
  cluster = await startNats({ size: 1 });
});
afterAll(() => cluster?.stop());
beforeEach(async () => {
  bucket = `peers-${buckets++}`;
  forger = await PeerForger.open(cluster.urls, bucket);
});
afterEach(async () => {
  await forger[Symbol.asyncDispose]();
  for (const { state } of stores.splice(0)) await state.close();
});

const containment = newContainment();

async function open(replica: string): Promise<Store> {
  const tools = { clock: systemClock, random: systemRandom, logger: silentLogger, containment };
  const opened = await openNatsStore({ servers: cluster.urls, bucket, replicas: 1, replica, ...tools });
  stores.push(opened);
  return opened;
}

const at = (position: number) => ({ revision: { epoch: 1, position } });

/** `one` and `other`, which hear each other. */
async function two() {
  const [one, other] = [await open("one"), await open("other")];
  let position = 5;
  one.peers.announce(() => at(5));
  other.peers.announce(() => at(position));
  await listed(one, [["other", 5]]);
  await listed(other, [["one", 5]]);
  const move = async (to: number) => {
    position = to;
    await listed(one, [["other", to]]);
  };
  return { one, other, move };
}

/** Resolves once the server knows that there is somebody who answers. */
async function answer({ peers, state }: Store, topic: string, handler: PeerHandler): Promise<void> {
  peers.answer(topic, handler);
  await state.barrier();
}

const listOf = ({ peers }: Store) =>
  peers.list().flatMap(({ replica, status, position }) => {
    return status === "live" ? [[replica, position.revision.position]] : [];
  });

async function listed(store: Store, wanted: readonly (readonly [string, number])[]) {
  await eventually(
    () => listOf(store),
    (found) => JSON.stringify(found) === JSON.stringify(wanted),
    { what: `the replicas ${JSON.stringify(wanted)} are heard` },
  );
}

const refusedOf = ({ peers }: Store, reason: RefusedReason) =>
  peers.refused().find((refused) => refused.reason === reason)?.count ?? 0;

async function refused(store: Store, reason: RefusedReason, atLeast = 1) {
  await eventually(
    () => refusedOf(store, reason),
    (count) => count >= atLeast,
    { what: `${reason} is counted`, explain: () => JSON.stringify(store.peers.refused()) },
  );
}

/** What a replica tells in a moment. */
async function recordedOf(replica: string) {
  await forger.record();
  return await eventually(
    () => forger.heard.filter(({ subject }) => subject === forger.positionSubject(replica)),
    (found) => found.length >= 2,
    { what: `${replica} says something` },
  );
}

/** That a message did no harm shows by what comes after it on the same connection. */
async function works({ one, other }: { one: Store; other: Store }) {
  await answer(other, "works", async (question) => question);
  const [found] = await one.peers.ask("works", bytes("yes"), { timeoutMs: 2_000 });
  expect(text(found?.answer)).toBe("yes");
  await one.state.commit({ ops: [put("a", "1")], cause: cause() });
  expect(containment.failures()).toEqual([]);
}

const said = (
  given: Partial<SaidPosition["sender"]> = {},
  position: SaidPosition["position"] = at(9),
): SaidPosition => ({
  sender: { replica: "ghost", instance: "i-1", since: 1, sequence: 1, ...given },
  position,
});

describe("what is said without the key", () => {
  const FORGED: readonly (readonly [string, Uint8Array | string, RefusedReason])[] = [
    ["JSON without a revision", '{"replica":"z","instance":"i","since":1,"position":{}}', "unsigned"],
    [
      "JSON of an older plane",
      '{"replica":"z","instance":"i","since":1,"position":{"revision":{"epoch":1,"position":9}}}',
      "unsigned",
    ],
    ["text", "no json", "unsigned"],
    ["nothing", "", "unsigned"],
    ["bytes", new Uint8Array(200).fill(255), "unsigned"],
    ["a position without a seal", encodePosition(said({ replica: "other" })), "unsigned"],
    ["a seal of nothing", new Uint8Array(32), "unsigned"],
    ["too much", new Uint8Array(MAX_POSITION_BYTES + 33), "oversized"],
    ["as much as the server takes", new Uint8Array(1_000_000), "oversized"],
  ];

  it("is counted and changes nothing, whatever it is and wherever it is said", async () => {
    const { one, other } = await two();
    let changes = 0;
    one.peers.onChange(() => {
      changes += 1;
    });
    await answer(one, "topic", async (question) => question);
    await forger.record();
    const subjects = [forger.positionSubject("other"), forger.positionSubject("one"), forger.positionSubject("ghost")];
    // Where planes from before there were seals tell it.
    subjects.push(`fairlead.${bucket}.position.eg`);
    const asked = [forger.questionSubject("one", "topic"), forger.questionSubject("one", "name")];
    for (const [, data, reason] of FORGED) {
      const before = refusedOf(one, reason);
      for (const subject of subjects) await forger.say(subject, data);
      await refused(one, reason, before + subjects.length - (reason === "unsigned" ? 0 : 1));
    }
    for (const subject of asked) {
      const before = refusedOf(one, "unsigned");
      for (const [, data] of FORGED) await forger.say(subject, data, "_INBOX_fairlead.forged");
      await refused(one, "unsigned", before + FORGED.filter(([, , reason]) => reason === "unsigned").length);
    }
    expect([listOf(one), changes]).toEqual([[["other", 5]], 0]);
    expect(one.peers.namesake()).toBeUndefined();
    expect(forger.heard.filter(({ subject }) => subject === "_INBOX_fairlead.forged")).toEqual([]);
    await works({ one, other });
  });

  it("does not keep a plane from its name, nor from its start", async () => {
    let answers = 0;
    await forger.answer(forger.questionSubject("one", "name"), (message) => {
      for (const forged of ['{"since":1}', '{"since":1e300}', "x", new Uint8Array(100)]) {
        message.respond(forged);
        answers += 1;
      }
    });
    const startedAt = performance.now();
    const one = await open("one");
    // As long as silence needs to count: nobody who can prove himself bears the name.
    expect(performance.now() - startedAt).toBeLessThan(PEER_SILENCE_MS + 3_000);
    expect(answers).toBeGreaterThan(0);
    await one.state.commit({ ops: [put("a", "1")], cause: cause() });
  });

  it("is no answer, though it comes first", async () => {
    const { one, other } = await two();
    const [asked, forged] = [forger.questionSubject("other", "topic"), bytes("forged")];
    await forger.answer(asked, (message) => {
      for (const data of [forged, new Uint8Array(400_000), new Uint8Array(60).fill(1)]) message.respond(data);
    });
    await answer(other, "topic", async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return new Uint8Array(600_000).fill(7);
    });
    const [found] = await one.peers.ask("topic", bytes("?"), { timeoutMs: 2_000 });
    expect(found?.answer?.length).toBe(600_000);
    expect(found?.answer?.every((byte) => byte === 7)).toBe(true);
    await refused(one, "unsigned", 2);
  });
});

describe("what was said before", () => {
  it("does not take a replica back, nor away", async () => {
    const { one, other, move } = await two();
    const recorded = await recordedOf("other");
    await move(8);
    await forger.sayAgain(recorded);
    await refused(one, "replayed", recorded.length);
    expect(listOf(one)).toEqual([["other", 8]]);
    await works({ one, other });
  });

  it("makes no replica of one that has left, neither for who knew it nor for who comes later", async () => {
    const { one, other } = await two();
    await works({ one, other });
    const recorded = await recordedOf("other");
    await stores.pop()?.state.close();
    await listed(one, []);
    const late = await open("late");
    late.peers.announce(() => at(5));
    await listed(one, [["late", 5]]);
    await forger.sayAgain(recorded);
    await refused(one, "unproven");
    await refused(late, "unproven");
    expect([listOf(one), listOf(late)]).toEqual([[["late", 5]], [["one", 5]]]);
  });

  it("is not answered, nor done, a second time", async () => {
    const { one, other } = await two();
    await forger.record();
    let done = 0;
    await answer(other, "farewell", async (question, asker) => {
      done += 1;
      expect(asker).toBe("one");
      return question;
    });
    await one.peers.ask("farewell", bytes("gone"), { timeoutMs: 2_000 });
    const asked = forger.questionSubject("other", "farewell");
    const questions = forger.heard.filter(({ subject }) => subject === asked);
    expect(questions).toHaveLength(1);
    await forger.sayAgain(questions);
    await refused(other, "replayed");
    // The seal is of where the answer goes, too.
    for (const question of questions) await forger.say(asked, question.data, "_INBOX_fairlead.forged");
    await refused(other, "unsigned");
    expect(done).toBe(1);
  });

  it("is no answer to what is asked now", async () => {
    const { one, other } = await two();
    const asked = forger.questionSubject("other", "count");
    await forger.record();
    let count = 0;
    await answer(other, "count", async () => {
      // The second time, what is recorded of the first is there before it.
      if (count > 0) await new Promise((resolve) => setTimeout(resolve, 50));
      return bytes(String(++count));
    });
    await one.peers.ask("count", bytes("?"), { timeoutMs: 2_000 });
    await forger.connection.flush();
    const inbox = forger.heard.find(({ subject }) => subject === asked)?.reply;
    const first = forger.heard.filter(({ subject }) => subject === inbox);
    expect(first).toHaveLength(1);
    await forger.answer(asked, (message) => {
      for (const { data } of first) message.respond(data);
    });
    const [found] = await one.peers.ask("count", bytes("?"), { timeoutMs: 2_000 });
    expect(text(found?.answer)).toBe("2");
    await refused(one, "unsigned");
  });
});

describe("what somebody says who can read the bucket", () => {
  it("counts for nothing where no process stands behind it", async () => {
    const { one, other } = await two();
    const subject = forger.positionSubject("ghost");
    await forger.say(subject, await forger.sealedPosition(said()));
    await refused(one, "unproven");
    // As another instance of one that lives, and as this one itself.
    for (const replica of ["other", "one"]) {
      const before = refusedOf(one, "unproven");
      const forged = said({ replica }, { ...at(99), storeWentBack: true });
      await forger.say(forger.positionSubject(replica), await forger.sealedPosition(forged));
      await refused(one, "unproven", before + 1);
    }
    expect(listOf(one)).toEqual([["other", 5]]);
    expect(one.peers.namesake()).toBeUndefined();
    await works({ one, other });
  });

  it("is refused where it cannot be, or is said in the name of another", async () => {
    const { one, other } = await two();
    const subject = forger.positionSubject("ghost");
    const wrong: SaidPosition[] = [
      said({ replica: "" }),
      said({ replica: "x".repeat(191) }),
      said({ replica: "\u202egninevig" }),
      said({ instance: "" }),
      said({ instance: "a b" }),
      said({ since: Number.NaN }),
      said({ since: 1e300 }),
      said({ since: -1 }),
      said({}, { revision: { epoch: Number.NaN, position: 1 } }),
      said({}, { revision: { epoch: 1, position: 1e16 } }),
      said({}, { ...at(1), digest: "x y" }),
      said({}, { ...at(1), held: "\u001b[2J" }),
      said({}, { ...at(1), news: Number.POSITIVE_INFINITY }),
      said({}, { ...at(1), profiles: Array.from({ length: 65 }, () => 1) }),
      said({ replica: "other" }),
    ];
    for (const each of wrong) await forger.say(subject, await forger.sealedPosition(each, subject));
    await forger.say(subject, seal(await forger.key(), ["position", subject], bytes("no protobuf")));
    await refused(one, "malformed", wrong.length + 1);
    const asked = forger.questionSubject("one", "name");
    const question = { sender: said().sender, nonce: "nonce-nonce", content: encodeNameQuestion(undefined) };
    // Nobody makes a plane write into its own bucket.
    const target = `$KV.${bucket}.epoch`;
    const sealed = seal(await forger.key(), ["question", asked, target], encodeQuestion(question));
    await forger.say(asked, sealed, target);
    await refused(one, "malformed", wrong.length + 2);
    expect(listOf(one)).toEqual([["other", 5]]);
    await works({ one, other });
  });

  it("fills no more than the room for replicas, from which one that lives is never pushed out", async () => {
    const { one, other } = await two();
    const key = await forger.key();
    // It answers for each of them, as anybody can who has the key and hears the question.
    await forger.answer(`fairlead.${bucket}.sealed.ask.*.*`, (message) => {
      const { subject, data } = message;
      const replica = Buffer.from(subject.split(".")[4] ?? "", "base64url").toString();
      const question = decodeQuestion(data.subarray(SEAL_BYTES));
      if (!replica.startsWith("ghost") || question === undefined) return;
      for (const part of answerParts(encodePosition(said({ replica })))) {
        message.respond(seal(key, ["answer", subject, question.nonce], part));
      }
    });
    const names = Array.from({ length: MAX_PEERS * 2 }, (_, i) => `ghost-${i}`);
    for (const replica of names) {
      await forger.say(forger.positionSubject(replica), await forger.sealedPosition(said({ replica })));
    }
    await eventually(
      () => one.peers.list().length,
      (count) => count === MAX_PEERS,
      { what: "the room is full" },
    );
    expect(listOf(one)).toContainEqual(["other", 5]);
    await works({ one, other });
  });
});

describe("the key in the bucket", () => {
  it("is in no backup, survives a restore, and is the same for all", async () => {
    const { one, other } = await two();
    const before = await forger.key();
    expect(before.symmetricKeySize).toBe(32);
    await one.state.commit({ ops: [put("a", "1")], cause: cause({ operation: "test" }) });
    const keys: string[] = [];
    const { parts } = await one.archive.read();
    for await (const part of parts) for (const record of part) keys.push(record.kind === "journal" ? "" : record.key);
    expect(keys).toEqual(["a", ""]);
    const record = { kind: "entry", key: "b", value: bytes("2") } as const;
    await one.archive.replace(
      (async function* () {
        yield [record];
      })(),
      { cause: cause({ operation: "restore" }), keys: [], laterThan: () => 0 },
    );
    expect((await forger.key()).equals(before)).toBe(true);
    await works({ one, other });
    expect(refusedOf(one, "unsigned")).toBe(0);
  });

  it("is made anew where it is damaged, and followed where it is another", async () => {
    const { one, other } = await two();
    const { peerKey } = subjectsOf(bucket);
    await forger.say(peerKey, "damaged");
    const third = await open("third");
    third.peers.announce(() => at(5));
    for (const store of [one, other]) {
      await eventually(
        () => listOf(store).length,
        (count) => count === 2,
        { what: "all three hear each other" },
      );
    }
    expect((await forger.key()).symmetricKeySize).toBe(32);
    await works({ one, other });
  });

  it("of a bucket that was put in the place of the first is followed too", async () => {
    const { one } = await two();
    const before = await forger.key();
    await administer(cluster, (api) => api.streams.delete(`KV_${bucket}`));
    const late = await open("late");
    late.peers.announce(() => at(1));
    await eventually(
      () => [listOf(one).length, listOf(late).length],
      ([first, second]) => first === 2 && second === 2,
      { what: "the one that came after it and those before hear each other" },
    );
    expect((await forger.key()).equals(before)).toBe(false);
  });
});

it("goes on reading when a message of the bucket itself cannot be read", async () => {
  const { one, other } = await two();
  await forger.say(`$KV.${bucket}.epoch`, "garbage");
  await one.state.commit({ ops: [put("a", "1")], cause: cause() });
  expect(await other.state.barrier()).toMatchObject({ epoch: 1 });
  // It was foreseen: it is no epoch, and is passed over.
  expect(containment.failures()).toEqual([]);
});
