import type { Mirror } from "../control/mirror.ts";
import type { Name } from "../domain/name.ts";
import type { Peers } from "../store/peers.ts";
import { checkSpec } from "./checked-backend.ts";
import { encodeJson, parseJson } from "./peer-json.ts";
import type { Prober } from "./socket-prober.ts";

/** Asks other observers about backends that do not answer; returns those that do not answer one of them either. */
export type SecondOpinion = (backends: readonly Name[]) => Promise<readonly Name[]>;

const TOPIC = "health-second-opinion";
/** The most backends in one question; the others are asked about in the next one. */
export const MAX_ASKED = 500;
/** Less than verdicts wait at most, and enough for a check that times out. */
const ANSWER_WITHIN_MS = 5000;

export function askPeers(peers: Peers): SecondOpinion {
  return async (backends) => {
    const asked = backends.slice(0, MAX_ASKED);
    const answers = await peers.ask(TOPIC, encodeJson(asked), { timeoutMs: ANSWER_WITHIN_MS });
    const failing = new Set(answers.flatMap(({ answer }) => (answer === undefined ? [] : (readNames(answer) ?? []))));
    return asked.filter((name) => failing.has(name));
  };
}

/** Checks once, here and now, what another worker asks about. The returned function ends this. */
export function answerPeers(
  peers: Peers,
  { mirror, prober, signal }: { mirror: Mirror; prober: Prober; signal: AbortSignal },
): () => void {
  return peers.answer(TOPIC, async (question) => {
    const names = readNames(question);
    if (names === undefined || names.length > MAX_ASKED) return undefined;
    const specs = names.flatMap((name) => checkSpec(mirror, name) ?? []);
    const failing = await Promise.all(
      specs.map(async ({ backend, target, check }) => {
        const seen = await prober.probe(target, check, signal);
        return seen?.outcome === "fail" ? [backend] : [];
      }),
    );
    return encodeJson(failing.flat());
  });
}

/** Undefined for what is not a list of names. */
function readNames(bytes: Uint8Array): readonly Name[] | undefined {
  const names = parseJson(bytes);
  return Array.isArray(names) && names.every((name) => typeof name === "string") ? names : undefined;
}
