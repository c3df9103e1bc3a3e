import { type Node, NodeType_State as State, type UnknownReplica } from "../gen/fairlead/admin/v1/node_pb.ts";
import { orDash } from "./kind-entry.ts";
import { type Piece, toned } from "./line.ts";
import { problemPiece, statePiece } from "./state-tone.ts";
import { durationText, formatAge, formatDuration } from "./time-text.ts";

const TYPES = ["CDS", "EDS", "LDS", "RDS"] as const;

export const NODE_COLUMNS = ["NODE", "FLEET", "CLIENT", ...TYPES, "LAG", "SINCE", "PROBLEM"] as const;
/** The columns that a narrow terminal can do without. */
export const SPARE_NODE_COLUMNS = ["SINCE", "CLIENT", "FLEET"] as const;

export function nodeCells(node: Node, nowMs: number): Piece[] {
  return [
    node.id,
    orDash(node.fleet),
    clientText(node),
    ...TYPES.map((type) => statePiece(stateText(node.types.find((candidate) => candidate.type === type)?.state))),
    isBehind(node) ? toned("warn", lagText(node)) : lagText(node),
    formatAge(node.since, nowMs),
    problemPiece(node),
  ];
}

/** `Envoy 1.40.0`, `gRPC Go 1.85.0`. Only Envoy connects without saying what it is. */
export function clientText({ client, envoyVersion }: Pick<Node, "client" | "envoyVersion">): string {
  const name = client === "" || client === "envoy" ? "Envoy" : client;
  return `${name} ${envoyVersion || "of unknown version"}`;
}

/** `replica plane-b has been silent for 12 s`. */
export function unknownText({ replica, silent }: UnknownReplica): string {
  return `replica ${replica} has been silent for ${durationText(silent)}`;
}

/** A refusal, or what is missing, is in capitals, to stand out; everything else is in lower case. */
export function stateText(state: number | undefined): string {
  if (state === State.ACKED) return "ack";
  if (state === State.REFUSED) return "REFUSED";
  if (state === State.MISSING) return "MISSING";
  return state === State.SENT ? "sent" : "-";
}

export function lagText(node: Node): string {
  if (!node.connected) return node.gone ? "gone" : "away";
  return node.lagMs === 0n ? "0" : formatDuration(Number(node.lagMs));
}

function isBehind({ connected, lagMs }: Node): boolean {
  return !connected || lagMs > 0n;
}
