/** `call`: one request, one answer. `stream`: an answer that goes on. `upload`: `Import` and `Restore`. */
export type CallKind = "call" | "stream" | "upload" | "backup";

/** Bounds of one connection, and of all together. */
interface Share {
  readonly perConnection: number;
  readonly inAll: number;
}

const MIB = 1024 * 1024;

/** What one caller, and all together, may ask of the admin port. Documented in docs/api.md, "Limits"; not configurable. */
export const ADMIN_LIMITS = {
  /** Of all clients. Lowered if the process may open too few descriptors. A new one takes the place of one without calls. */
  maxConnections: 1_000,
  /** A connection that has made no call this long after it was opened is closed. */
  firstCallMs: 30_000,
  /** A connection that has had no call for this long is closed. */
  idleConnectionMs: 300_000,
  /** Open calls, by the kind of call. */
  calls: {
    call: { perConnection: 100, inAll: 1_000 },
    stream: { perConnection: 64, inAll: 256 },
    upload: { perConnection: 2, inAll: 2 },
    backup: { perConnection: 2, inAll: 4 },
  } as Readonly<Record<CallKind, Share>>,
  /** A request must arrive as a whole within this, or its connection ends. */
  requestMs: 30_000,
  /** The longest request, and the longest message of an upload. */
  maxRequestBytes: 8 * MIB,
  /** Bytes of requests that arrive or are worked on. */
  heldBytes: { perConnection: 24 * MIB, inAll: 64 * MIB } as Share,
  /** The longest time between two messages of an upload. */
  uploadIdleMs: 60_000,
  /** The longest time for a whole upload. */
  uploadMs: 3_600_000,
  /** The most bytes of all messages of one upload, by method. */
  uploadBytes: { Import: 512 * MIB, Restore: 8192 * MIB } as Readonly<Record<string, number>>,
  /** A client that has not taken an answer of a stream after this is too slow for it. */
  slowReaderMs: 30_000,
  /** The longest single answer. */
  maxAnswerBytes: 32 * MIB,
};

export type AdminLimits = Readonly<typeof ADMIN_LIMITS>;

/**
 * The longest message that is read from the wire at all: longer than what is accepted, so that most callers learn from the
 * plane which limit it was, and not from the transport.
 */
export const WIRE_BYTES = 2 * ADMIN_LIMITS.maxRequestBytes;
/** The transport's own bound on calls of one connection, above all of `AdminLimits.calls`, which refuse with a reason. */
export const HTTP2_STREAMS = 512;
