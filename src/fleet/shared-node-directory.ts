import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import {
  NodeListSchema,
  NodesQuestionSchema,
  ProgressAnswerSchema,
  ProgressQuestionSchema,
  RefusalListSchema,
} from "../gen/fairlead/peers/v1/proxies_pb.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Peers } from "../store/peers.ts";
import { formatRevision, parseRevision, type Revision } from "../store/revision.ts";
import type { LocalNodeDirectory } from "./local-node-directory.ts";
import { mergeNodes, mergeProgress } from "./merge-nodes.ts";
import type {
  FleetProgress,
  NodeDirectory,
  NodeQuery,
  NodeView,
  Progress,
  Refusal,
  Told,
  UnknownReplica,
} from "./node-directory.ts";
import {
  fromNodeList,
  fromNodesQuestion,
  fromProgressAnswer,
  fromRefusalList,
  toNodeList,
  toNodesQuestion,
  toProgressAnswer,
  toRefusalList,
} from "./peer-messages.ts";

/** A replica that does not answer within this counts as unknown. */
const ANSWER_WITHIN_MS = 1000;
/** With more proxies than these, a question asks for all of them. */
const NAMED_AT_MOST = 200;
/** Proxies that one message of farewell names. */
const FAREWELL_NODES = 1000;

const NODES = { topic: "proxies", question: NodesQuestionSchema, answer: NodeListSchema } as const;
const PROGRESS = { topic: "progress", question: ProgressQuestionSchema, answer: ProgressAnswerSchema } as const;
const REFUSALS = { topic: "refusals", question: EmptySchema, answer: RefusalListSchema } as const;
const FAREWELL = { topic: "farewell", question: NodeListSchema, answer: EmptySchema } as const;

interface Topic<Q extends DescMessage, A extends DescMessage> {
  readonly topic: string;
  readonly question: Q;
  readonly answer: A;
}

/** The proxies of this replica and, by asking them, those of its peers. */
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
      this.#answer(PROGRESS, ({ ids, revision }) =>
        toProgressAnswer(local.progress(ids.length === 0 ? undefined : ids, readRevision(revision))),
      ),
      this.#answer(REFUSALS, () => toRefusalList(local.refusals())),
      this.#answer(FAREWELL, (nodes) => {
        local.inherit(fromNodeList(nodes));
        return create(EmptySchema);
      }),
    ];
  }

  async nodes(query: NodeQuery = {}): Promise<Told<readonly NodeView[]>> {
    const { answers, unknown } = await this.#ask(NODES, toNodesQuestion(query));
    return { told: mergeNodes([...this.#local.nodes(query), ...answers.flatMap(fromNodeList)]), unknown };
  }

  async progress(ids: readonly string[], revision: Revision): Promise<FleetProgress> {
    const named = ids.length > NAMED_AT_MOST ? [] : ids;
    const question = create(ProgressQuestionSchema, { revision: formatRevision(revision), ids: [...named] });
    const { answers, unknown } = ids.length === 0 ? { answers: [], unknown: [] } : await this.#ask(PROGRESS, question);
    const told = [this.#local.progress(ids, revision), ...answers.map(fromProgressAnswer)];
    const nowhere = unknown.length === 0 ? NOWHERE : unseen(unknown);
    const progress = ids.map((id): [string, Progress] => {
      const merged = mergeProgress(told.flatMap((one) => one.progress.get(id) ?? []));
      return [id, merged === undefined || merged.state === "disconnected" ? nowhere : merged];
    });
    const settled = told.flatMap(({ settledAfterMs }) => settledAfterMs ?? []);
    return { progress: new Map(progress), settledAfterMs: settled.length === 0 ? undefined : Math.max(...settled) };
  }

  async refusals(): Promise<Told<readonly Refusal[]>> {
    const { answers, unknown } = await this.#ask(REFUSALS, create(EmptySchema));
    return { told: [...this.#local.refusals(), ...answers.flatMap(fromRefusalList)], unknown };
  }

  onChange(listener: () => void): () => void {
    const ends = [this.#local.onChange(listener), this.#peers.onChange(listener)];
    return () => {
      for (const end of ends) end();
    };
  }

  /** Hands the proxies that are on their way to another replica over to all of them, so that waits still know of them. */
  async farewell(): Promise<void> {
    const away = this.#local.nodes({ detail: "place" }).map((view) => ({ ...view, connected: false }));
    for (let start = 0; start < away.length; start += FAREWELL_NODES) {
      await this.#ask(FAREWELL, toNodeList(away.slice(start, start + FAREWELL_NODES)));
    }
  }

  stop(): void {
    for (const end of this.#ends) end();
  }

  #answer<Q extends DescMessage, A extends DescMessage>(
    { topic, question, answer }: Topic<Q, A>,
    reply: (question: MessageShape<Q>) => MessageShape<A>,
  ): () => void {
    return this.#peers.answer(topic, async (bytes) => toBinary(answer, reply(fromBinary(question, bytes))));
  }

  async #ask<Q extends DescMessage, A extends DescMessage>(
    { topic, question, answer }: Topic<Q, A>,
    message: MessageShape<Q>,
  ): Promise<{ readonly answers: readonly MessageShape<A>[]; readonly unknown: readonly UnknownReplica[] }> {
    const told = await this.#peers.ask(topic, toBinary(question, message), { timeoutMs: ANSWER_WITHIN_MS });
    const heardAt = new Map(this.#peers.list().map((peer) => [peer.replica, peer.heardAt]));
    const now = this.#clock.monotonic();
    return {
      answers: told.flatMap(({ answer: bytes }) => (bytes === undefined ? [] : fromBinary(answer, bytes))),
      unknown: told.flatMap(({ replica, answer: bytes }) => {
        const at = heardAt.get(replica);
        // One that has left in the meantime is not unknown: it has handed over what it held.
        return bytes !== undefined || at === undefined ? [] : { replica, silentMs: Math.max(0, now - at) };
      }),
    };
  }
}

const NOWHERE: Progress = { state: "disconnected", message: "no open stream" };

/** It is on no replica that answers, and may be on one that does not. */
function unseen(unknown: readonly UnknownReplica[]): Progress {
  const silent = unknown.map(({ replica }) => replica).join(", ");
  return { state: "unknown", message: `on no replica that answers; ${silent} is silent` };
}

function readRevision(text: string): Revision {
  const revision = parseRevision(text);
  if (revision === undefined) throw new Error(`"${text}" is not a revision`);
  return revision;
}
