import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import {
  ForgetQuestionSchema,
  NodeListSchema,
  NodesQuestionSchema,
  ProgressAnswerSchema,
  ProgressQuestionSchema,
  RefusalListSchema,
  ResendAnswerSchema,
  ResendQuestionSchema,
} from "../gen/fairlead/peers/v1/proxies_pb.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Peers } from "../store/peers.ts";
import { formatRevision, parseRevision, type Revision } from "../store/revision.ts";
import type { LocalNodeDirectory } from "./local-node-directory.ts";
import { mergeNodes, mergeProgress, outlivedReplicas } from "./merge-nodes.ts";
import type {
  FleetProgress,
  NodeDirectory,
  NodeQuery,
  OnItsWay,
  Progress,
  Refusal,
  Told,
  ToldNode,
  UnknownReplica,
} from "./node-directory.ts";
import {
  fromNodeList,
  fromNodesQuestion,
  fromProgressAnswer,
  fromRefusalList,
  type Heard,
  toNodeList,
  toNodesQuestion,
  toProgressAnswer,
  toRefusalList,
} from "./peer-messages.ts";

/** A replica that does not answer within this counts as unknown. */
const ANSWER_WITHIN_MS = 1000;
/** With more proxies than this, a question asks for all of them. */
const NAMED_AT_MOST = 200;
/** Proxies per farewell message: well below the longest question, even with the longest ids. */
const FAREWELL_NODES = 200;

const NODES = { topic: "proxies", question: NodesQuestionSchema, answer: NodeListSchema } as const;
const PROGRESS = { topic: "progress", question: ProgressQuestionSchema, answer: ProgressAnswerSchema } as const;
const REFUSALS = { topic: "refusals", question: EmptySchema, answer: RefusalListSchema } as const;
const RESEND = { topic: "resend", question: ResendQuestionSchema, answer: ResendAnswerSchema } as const;
const FORGET = { topic: "forget", question: ForgetQuestionSchema, answer: EmptySchema } as const;
const FAREWELL = { topic: "farewell", question: NodeListSchema, answer: EmptySchema } as const;

interface Topic<Q extends DescMessage, A extends DescMessage> {
  readonly topic: string;
  readonly question: Q;
  readonly answer: A;
}

/** The proxies of this replica and, by asking its peers, theirs. */
export class SharedNodeDirectory implements NodeDirectory {
  readonly #local: LocalNodeDirectory;
  readonly #peers: Peers;
  readonly #clock: Clock;
  readonly #ends: readonly (() => void)[];

  constructor({ local, peers, clock }: { local: LocalNodeDirectory; peers: Peers; clock: Clock }) {
    this.#local = local;
    this.#peers = peers;
    this.#clock = clock;
    this.#ends = [
      this.#answer(NODES, (question) => toNodeList(local.nodes(fromNodesQuestion(question)))),
      this.#answer(PROGRESS, ({ ids, revision: text, onItsWay }) => {
        const revision = parseRevision(text);
        if (revision === undefined || ids.length > NAMED_AT_MOST) return undefined;
        const way = onItsWay && { typeUrl: onItsWay.typeUrl };
        return toProgressAnswer(local.progress(ids.length === 0 ? undefined : ids, revision, way));
      }),
      this.#answer(REFUSALS, () => toRefusalList(local.refusals())),
      this.#answer(RESEND, ({ id, typeUrl }) => {
        const resources = local.resend(id, typeUrl);
        return create(ResendAnswerSchema, { ...(resources !== undefined && { resources }) });
      }),
      this.#answer(FORGET, ({ id }) => {
        local.forget(id);
        return create(EmptySchema);
      }),
      this.#answer(FAREWELL, (nodes, replica) => {
        const left = fromNodeList(nodes, this.#heard(replica));
        local.inherit(left.filter(({ connected }) => !connected));
        return create(EmptySchema);
      }),
    ];
  }

  async nodes(query: NodeQuery = {}): Promise<Told<readonly ToldNode[]>> {
    const { told, unknown } = await this.#streams(query);
    return { told: mergeNodes(told, this.#clock.now()), unknown };
  }

  /** What each replica says, stream by stream. */
  async #streams(query: NodeQuery): Promise<Told<readonly ToldNode[]>> {
    const { answers, unknown } = await this.#ask(NODES, toNodesQuestion(query));
    const theirs = answers.flatMap(({ replica, answer }) => fromNodeList(answer, this.#heard(replica)));
    return { told: [...this.#local.nodes(query), ...theirs], unknown };
  }

  async progress(ids: readonly string[], revision: Revision, onItsWay?: OnItsWay): Promise<FleetProgress> {
    const question = create(ProgressQuestionSchema, {
      revision: formatRevision(revision),
      ids: ids.length > NAMED_AT_MOST ? [] : [...ids],
      ...(onItsWay && { onItsWay: { typeUrl: onItsWay.typeUrl } }),
    });
    const { answers, unknown } = ids.length === 0 ? { answers: [], unknown: [] } : await this.#ask(PROGRESS, question);
    const told: ToldProgress[] = [
      { replica: this.#local.replica, ...this.#local.progress(ids, revision, onItsWay) },
      ...answers.map(({ replica, answer }) => ({ replica, ...fromProgressAnswer(answer) })),
    ];
    const nowhere = unknown.length === 0 ? NOWHERE : unseen(unknown);
    const outlived = await this.#outlived(ids, told);
    const progress = ids.map((id): [string, Progress] => {
      const counting = told.filter(({ replica }) => outlived.get(id)?.has(replica) !== true);
      const merged = mergeProgress(counting.flatMap((one) => one.progress.get(id) ?? []));
      if (merged !== undefined && merged.state !== "disconnected") return [id, merged];
      return [id, merged?.nothingDue === true && unknown.length === 0 ? DONE : nowhere];
    });
    const settled = told.flatMap(({ settledAfterMs }) => settledAfterMs ?? []);
    return { progress: new Map(progress), settledAfterMs: settled.length === 0 ? undefined : Math.max(...settled) };
  }

  /**
   * By proxy: replicas whose word does not count, since the process that they hold is being replaced by one that is connected
   * elsewhere. Asked only about proxies that several replicas hold and that are not done.
   */
  async #outlived(
    ids: readonly string[],
    told: readonly ToldProgress[],
  ): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const doubtful = new Set(
      ids.filter((id) => {
        const connected = told.flatMap(({ progress }) => progress.get(id) ?? []).filter(isConnected);
        return connected.length > 1 && mergeProgress(connected)?.state !== "done";
      }),
    );
    if (doubtful.size === 0) return new Map();
    const [only] = doubtful;
    const asked = doubtful.size === 1 && only !== undefined ? { id: only } : {};
    const { told: streams } = await this.#streams({ detail: "place", ...asked });
    const ofEach = Map.groupBy(
      streams.filter(({ id }) => doubtful.has(id)),
      ({ id }) => id,
    );
    return new Map(Array.from(ofEach, ([id, ofId]) => [id, outlivedReplicas(ofId, this.#clock.now())]));
  }

  async refusals(): Promise<Told<readonly Refusal[]>> {
    const { answers, unknown } = await this.#ask(REFUSALS, create(EmptySchema));
    const theirs = answers.flatMap(({ replica, answer }) => fromRefusalList(answer, this.#heard(replica)));
    return { told: [...this.#local.refusals(), ...theirs], unknown };
  }

  async resend(id: string, typeUrl: string | undefined): Promise<Told<number | undefined>> {
    const question = create(ResendQuestionSchema, { id, ...(typeUrl !== undefined && { typeUrl }) });
    const { answers, unknown } = await this.#ask(RESEND, question);
    const counts = [this.#local.resend(id, typeUrl), ...answers.map(({ answer }) => answer.resources)];
    const known = counts.flatMap((count) => count ?? []);
    return { told: known.length === 0 ? undefined : known.reduce((sum, count) => sum + count, 0), unknown };
  }

  async forget(id: string): Promise<void> {
    this.#local.forget(id);
    await this.#ask(FORGET, create(ForgetQuestionSchema, { id }));
  }

  /** Other than before whenever a proxy came or went on any replica, or a replica did. Costs next to nothing. */
  attendance(): string {
    const others = this.#peers.list().map(({ replica, status, position: { turnover, news } }) => {
      return [replica, status, turnover ?? news];
    });
    return JSON.stringify([this.#local.turnover, ...others]);
  }

  onChange(listener: () => void): () => void {
    const ends = [this.#local.onChange(listener), this.#peers.onChange(listener)];
    return () => {
      for (const end of ends) end();
    };
  }

  /** Tells all other replicas of the proxies that will move to one of them, so that waits still know of them. */
  async farewell(): Promise<void> {
    const away = this.#local.nodes({ detail: "place" }).map((node) => ({
      ...node,
      // What they had has been recorded by now, and would make these messages too long.
      types: [],
      connected: false,
      since: node.connected ? this.#clock.now() : node.since,
    }));
    for (let start = 0; start < away.length; start += FAREWELL_NODES) {
      await this.#ask(FAREWELL, toNodeList(away.slice(start, start + FAREWELL_NODES)));
    }
  }

  stop(): void {
    for (const end of this.#ends) end();
  }

  #answer<Q extends DescMessage, A extends DescMessage>(
    { topic, question, answer }: Topic<Q, A>,
    reply: (question: MessageShape<Q>, asker: string) => MessageShape<A> | undefined,
  ): () => void {
    return this.#peers.answer(topic, async (bytes, asker) => {
      const asked = read(question, bytes);
      const found = asked && reply(asked, asker);
      return found && toBinary(answer, found);
    });
  }

  async #ask<Q extends DescMessage, A extends DescMessage>(
    { topic, question, answer }: Topic<Q, A>,
    message: MessageShape<Q>,
  ): Promise<{ answers: { replica: string; answer: MessageShape<A> }[]; unknown: UnknownReplica[] }> {
    const told = await this.#peers.ask(topic, toBinary(question, message), { timeoutMs: ANSWER_WITHIN_MS });
    const heardAt = new Map(this.#peers.list().map((peer) => [peer.replica, peer.heardAt]));
    const now = this.#clock.monotonic();
    // A replica whose answer cannot be read has not answered.
    const heard = told.map(({ replica, answer: bytes }) => ({ replica, answer: bytes && read(answer, bytes) }));
    return {
      answers: heard.flatMap(({ replica, answer: found }) => (found === undefined ? [] : { replica, answer: found })),
      unknown: heard.flatMap(({ replica, answer: found }) => {
        const at = heardAt.get(replica);
        // A replica that has left in the meantime is not unknown: it has handed over what it held.
        return found !== undefined || at === undefined ? [] : { replica, silentMs: Math.max(0, now - at) };
      }),
    };
  }

  #heard(replica: string): Heard {
    return { replica, at: this.#clock.now() };
  }
}

interface ToldProgress extends FleetProgress {
  readonly replica: string;
}

function isConnected({ state }: Progress): boolean {
  return state !== "disconnected";
}

const DONE: Progress = { state: "done" };
const NOWHERE: Progress = { state: "disconnected", message: "no open stream" };

/** The proxy is on no replica that answers, and may be on one that does not. */
function unseen(unknown: readonly UnknownReplica[]): Progress {
  const silent = unknown.map(({ replica }) => replica).join(", ");
  return { state: "unknown", message: `it is on no replica that answers; no answer came from ${silent}` };
}

/** Returns undefined for bytes that are not such a message. */
function read<D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> | undefined {
  try {
    return fromBinary(schema, bytes);
  } catch {
    return undefined;
  }
}
