import type { RefusalMark } from "../gen/fairlead/store/v1/refusal_marks_pb.ts";
import { readForm } from "../store/keys/record-form.ts";
import { REFUSAL } from "../store/keys/refusal-record.ts";
import { MAX_VALUE_BYTES } from "../store/state-store.ts";

export type Mark = Pick<RefusalMark, "typeUrl" | "name">;

/** What one proxy refused and has not acknowledged since. Not changed once it is made. */
export interface Marks {
  readonly byName: ReadonlyMap<string, Mark>;
  /** When the last of them was refused, by the store's clock: milliseconds since the epoch; 0 when it was not recorded. */
  readonly refusedAt: number;
  /** Upper bound of their encoded size. */
  readonly bytes: number;
}

/** Most bytes for one proxy's marks; beyond that, the oldest of them are forgotten. */
export const MAX_BYTES_PER_NODE = MAX_VALUE_BYTES - 10_000;
/** Over all proxies; beyond that, the marks of the proxy that refused longest ago are forgotten first. */
export const MAX_NODES = 10_000;
export const MAX_BYTES = 64_000_000;
/** A proxy that has not come back for this long is not expected to. */
export const MAX_AGE_MS = 30 * 24 * 3_600_000;

export const NO_MARKS: Marks = { byName: new Map(), refusedAt: 0, bytes: 0 };

/** The marks once these names are refused too. What is refused again counts as refused last. */
export function refusedToo(marks: Marks, typeUrl: string, names: readonly string[], refusedAt: number): Marks {
  const byName = new Map(marks.byName);
  for (const name of names) {
    const key = `${typeUrl} ${name}`;
    byName.delete(key);
    byName.set(key, { typeUrl, name });
  }
  return trimmed(byName, refusedAt);
}

/** The marks once these names are acknowledged. */
export function acknowledged(marks: Marks, typeUrl: string, names: readonly string[]): Marks {
  const byName = new Map(marks.byName);
  for (const name of names) byName.delete(`${typeUrl} ${name}`);
  return trimmed(byName, marks.refusedAt);
}

export function encodeMarks(nodeId: string, { byName, refusedAt }: Marks): Uint8Array {
  return REFUSAL.encode({ nodeId, marks: [...byName.values()], refusedAt });
}

/** Returns undefined for bytes of another form. */
export function decodeMarks(value: Uint8Array): Marks | undefined {
  const record = readForm(REFUSAL, value);
  if (record === undefined) return undefined;
  const byName = new Map(record.marks.map(({ typeUrl, name }) => [`${typeUrl} ${name}`, { typeUrl, name }]));
  return { byName, refusedAt: record.refusedAt, bytes: value.length };
}

/** The keys whose marks must be forgotten to keep the rest within bounds: those refused longest ago. */
export function surplus(all: ReadonlyMap<string, Marks>, now: number): string[] {
  let nodes = all.size;
  let bytes = 0;
  for (const marks of all.values()) bytes += marks.bytes;
  const isAged = ({ refusedAt }: Marks) => refusedAt > 0 && refusedAt < now - MAX_AGE_MS;
  if (nodes <= MAX_NODES && bytes <= MAX_BYTES && !all.values().some(isAged)) return [];
  const forgotten: string[] = [];
  for (const [key, marks] of [...all].sort(([, a], [, b]) => a.refusedAt - b.refusedAt)) {
    if (nodes <= MAX_NODES && bytes <= MAX_BYTES && !isAged(marks)) continue;
    forgotten.push(key);
    nodes--;
    bytes -= marks.bytes;
  }
  return forgotten;
}

function trimmed(byName: Map<string, Mark>, refusedAt: number): Marks {
  let bytes = 0;
  for (const mark of byName.values()) bytes += sizeOf(mark);
  for (const [key, mark] of byName) {
    if (bytes <= MAX_BYTES_PER_NODE) break;
    byName.delete(key);
    bytes -= sizeOf(mark);
  }
  return { byName, refusedAt, bytes };
}

/** Upper bound of the encoded size: the bytes of both strings, plus a tag and a length for each field. */
function sizeOf({ typeUrl, name }: Mark): number {
  return 16 + Buffer.byteLength(typeUrl) + Buffer.byteLength(name);
}
