import type { DescMethod, Message } from "@bufbuild/protobuf";
import type { Caller } from "../operations/context.ts";
import { badField } from "../operations/object-errors.ts";
import { withoutSecrets } from "../schema/secrets.ts";
import { requestDigest } from "./request-digest.ts";

/** The header by which a client says who asks. Taken on trust: it is for the journal, not for access. */
export const ACTOR_HEADER = "x-fairlead-actor";
const MAX_ACTOR_LENGTH = 128;

/** One call, as whoever serves it knows it. */
export interface Call {
  readonly method: DescMethod;
  /** Absent for a call that takes a stream of requests. */
  readonly request: Message | undefined;
  /** What the client gave as `ACTOR_HEADER`. */
  readonly actor: string | undefined;
  /** The client's address, with its port. */
  readonly peer: string;
  readonly signal: AbortSignal;
}

/** Who asks: what the client says, else the address that it comes from. @throws ControlPlaneError `invalid` / `INVALID_FIELD`. */
export function callerOf({ method, request, actor, peer, signal }: Call): Caller {
  let digest: Uint8Array | undefined;
  return {
    actor: actor === undefined ? `peer:${peer.replace(/:\d+$/, "")}` : checkedActor(actor),
    signal,
    requestDigest: () => {
      digest ??= requestDigest(method.name, request === undefined ? {} : withoutSecrets(method.input, request));
      return digest;
    },
  };
}

function checkedActor(actor: string): string {
  if (actor.length >= 1 && actor.length <= MAX_ACTOR_LENGTH) return actor;
  throw badField(ACTOR_HEADER, `must have 1 to ${MAX_ACTOR_LENGTH} characters`);
}
