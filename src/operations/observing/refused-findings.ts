import { MAX_ANSWERING, MAX_PEERS, type RefusedMessages, type RefusedReason } from "../../store/peers.ts";
import type { Finding } from "./finding.ts";

/** A reason is listed for this long after it was last met. */
const LISTED_MS = 300_000;

/** Reasons that a person should look into. The others occur by themselves now and then: a process that ends, a late message. */
const WHY: Partial<Record<RefusedReason, string>> = {
  unsigned:
    "without a valid seal: a plane of an older release, which counts as absent until it is replaced, or somebody who cannot read the bucket and publishes on the planes' subjects",
  malformed: "sealed, but nothing that a plane says: a plane of another release, or somebody who can read the bucket",
  oversized: "longer than any message of a plane: somebody publishes on the planes' subjects",
  too_many: `more than ${MAX_PEERS} replicas, or more than ${MAX_ANSWERING} questions at once`,
  flood:
    "not looked at, since hundreds of others were not believed: somebody publishes on the planes' subjects, and replicas may consider each other gone",
};

/** Messages between replicas that were not believed lately, for people on call. */
export function refusedFindings(refused: readonly RefusedMessages[], now: number): Finding[] {
  return refused.flatMap(({ reason, count, at }) => {
    const why = WHY[reason];
    if (why === undefined || now - at >= LISTED_MS) return [];
    return [{ what: "messages to the replicas are refused", since: at, why: `${count} ${why}` }];
  });
}
