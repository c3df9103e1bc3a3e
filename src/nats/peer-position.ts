import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { printable } from "../domain/printable.ts";
import { PositionSchema, type Sender, type Standing } from "../gen/fairlead/peers/v1/peers_pb.ts";
import { isReplicaName, type PeerPosition } from "../store/peers.ts";
import { formatRevision, parseRevision } from "../store/revision.ts";

/** Size limit, in bytes, of a message that says where a replica stands. */
export const MAX_POSITION_BYTES = 4096;
const MAX_PROFILES = 64;
const MAX_REASON_LENGTH = 64;
/** A later time cannot be shown. */
const LATEST_MS = 8.64e15;

/** A process of a plane, and how much it has said so far. */
export interface PeerSender {
  readonly replica: string;
  readonly instance: string;
  /** When the process began: milliseconds since the epoch by its own clock. */
  readonly since: number;
  readonly sequence: number;
}

/** Without a position, the replica says goodbye, or does not serve yet. */
export interface SaidPosition {
  readonly sender: PeerSender;
  readonly position: PeerPosition | undefined;
}

export function encodePosition({ sender, position }: SaidPosition): Uint8Array {
  const standing = position && {
    ...position,
    revision: formatRevision(position.revision),
    profiles: [...(position.profiles ?? [])],
  };
  return toBinary(PositionSchema, create(PositionSchema, { sender: senderMessage(sender), standing }));
}

/** Undefined for bytes that are not a position, or state an impossible one. Ignores what a later release may add. */
export function decodePosition(bytes: Uint8Array): SaidPosition | undefined {
  const { sender, standing } = readMessage(PositionSchema, bytes) ?? {};
  const said = readSender(sender);
  const position = standing && readStanding(standing);
  if (said === undefined || (standing !== undefined && position === undefined)) return undefined;
  return { sender: said, position };
}

/** Undefined for bytes that are no such message. */
export function readMessage<S extends DescMessage>(schema: S, bytes: Uint8Array): MessageShape<S> | undefined {
  try {
    return fromBinary(schema, bytes);
  } catch {
    return undefined;
  }
}

export function senderMessage({ sequence, ...sender }: PeerSender) {
  return { ...sender, sequence: BigInt(sequence) };
}

export function readSender(sender: Sender | undefined): PeerSender | undefined {
  if (sender === undefined) return undefined;
  const { replica, instance, since } = sender;
  const sequence = Number(sender.sequence);
  const isRight =
    isReplicaName(replica) &&
    /^[A-Za-z0-9-]{1,64}$/.test(instance) &&
    Number.isSafeInteger(sequence) &&
    since >= 0 &&
    since <= LATEST_MS;
  return isRight ? { replica, instance, since, sequence } : undefined;
}

function readStanding({ digest, held, news, turnover, profiles, ...standing }: Standing): PeerPosition | undefined {
  const revision = parseRevision(standing.revision);
  const isRight =
    (digest === undefined || /^[0-9a-f]{1,64}$/.test(digest)) &&
    (held === undefined || (held.length <= MAX_REASON_LENGTH && printable(held) === held)) &&
    [news, turnover].every((count) => count === undefined || (Number.isSafeInteger(count) && count >= 0)) &&
    profiles.length <= MAX_PROFILES;
  if (revision === undefined || !isRight) return undefined;
  return {
    revision,
    profiles,
    ...(digest !== undefined && { digest }),
    ...(held !== undefined && { held }),
    ...(standing.storeWentBack && { storeWentBack: true }),
    ...(news !== undefined && { news }),
    ...(turnover !== undefined && { turnover }),
  };
}
