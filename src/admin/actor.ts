import type { Metadata } from "@grpc/grpc-js";
import { badField } from "../operations/object-errors.ts";

/** The metadata key by which a client says who asks. Taken on trust: it is for the journal, not for access. */
const ACTOR_METADATA = "x-fairlead-actor";
const MAX_ACTOR_LENGTH = 128;

/** Who asks, for the journal: what the client says, else the address it comes from. */
export function actorOf(metadata: Metadata, peer: string): string {
  const [given] = metadata.get(ACTOR_METADATA);
  if (given === undefined) return `peer:${peer.replace(/:\d+$/, "")}`;
  const actor = String(given);
  if (actor.length >= 1 && actor.length <= MAX_ACTOR_LENGTH) return actor;
  throw badField(ACTOR_METADATA, `must have 1 to ${MAX_ACTOR_LENGTH} characters`);
}
