/** How long after a newer stream opens an older one may still belong to a process that hot restart is about to end. */
const OUTLIVED_MS = 30_000;

/** An open stream, as far as it matters here. Times are by one clock. */
interface Opened {
  /** Set for streams of which a client has only one. */
  readonly sole?: string | undefined;
  /** `address:port`. */
  readonly peer: string;
  readonly openedAt: number;
}

/**
 * Whether a stream is older than another one that the same proxy opened lately: of the same kind, from the same machine. The
 * process that a hot restart replaces keeps its stream for a while, and nothing depends on what it has yet to acknowledge.
 */
export function isOutlivedBy(older: Opened, newer: Opened, now: number): boolean {
  if (older.sole === undefined || older.sole !== newer.sole || hostOf(older) !== hostOf(newer)) return false;
  return newer.openedAt > older.openedAt && newer.openedAt > now - OUTLIVED_MS;
}

/** The peer's address without its port. */
function hostOf({ peer }: Opened): string {
  return peer.slice(0, peer.lastIndexOf(":"));
}
