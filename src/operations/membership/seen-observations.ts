import type { Mirror } from "../../control/mirror.ts";
import type { Name } from "../../domain/name.ts";
import type { Health } from "../../gen/fairlead/admin/v1/backend_pb.ts";
import type { Stored } from "../../schema/stored-object.ts";
import type { Peers } from "../../store/peers.ts";

const TOPIC = "health-seen";
const ANSWER_WITHIN_MS = 500;

/**
 * The newest observation behind each stored verdict: one that says the same again is not written, and an older one that
 * comes late, to whichever replica, must still not win (law 3, order). Replicas ask each other, for as long as `peers` lives.
 */
export class SeenObservations {
  readonly #newest = new WeakMap<Health, bigint>();
  readonly #peers: Pick<Peers, "ask" | "answer">;

  constructor({ mirror, peers }: { mirror: Mirror; peers: Pick<Peers, "ask" | "answer"> }) {
    this.#peers = peers;
    peers.answer(TOPIC, async (question) => {
      const [name = "", uid] = Buffer.from(question).toString().split(" ");
      const stored = mirror.stored("health", name);
      return Buffer.from(String(stored?.object.backendUid === uid && stored !== undefined ? this.newest(stored) : 0n));
    });
  }

  /** Records an observation that said the same as the stored verdict. */
  note(stored: Health, sequence: bigint): void {
    if (sequence > 0n) this.#newest.set(stored, sequence);
  }

  /** The newest that came to this replica, or was written. 0: none had a sequence. */
  newest({ message, object }: Stored<"health">): bigint {
    return this.#newest.get(message) ?? object.sequence;
  }

  /** The newest that came to another replica. @param uid Of the backend that was observed. */
  async newestElsewhere(name: Name, uid: string): Promise<bigint> {
    const answers = await this.#peers.ask(TOPIC, Buffer.from(`${name} ${uid}`), { timeoutMs: ANSWER_WITHIN_MS });
    const sequences = answers.map(({ answer }) =>
      answer === undefined ? 0n : readSequence(Buffer.from(answer).toString()),
    );
    // biome-ignore lint/complexity/useMathMinMax: these are bigints.
    return sequences.reduce((a, b) => (a > b ? a : b), 0n);
  }
}

/** 0 for anything that is not a sequence. */
function readSequence(text: string): bigint {
  return /^\d{1,20}$/.test(text) ? BigInt(text) : 0n;
}
