/** What one caller, and all together, may ask of the admin port. Documented in docs/api.md, "Limits"; not configurable. */
export interface AdminLimits {
  /** Of all clients. Lowered if the process may open too few descriptors. A new one takes the place of one without calls. */
  readonly maxConnections: number;
  /** A connection that has made no call this long after it was opened is closed. */
  readonly firstCallMs: number;
  /** A connection that has had no call for this long is closed. */
  readonly idleConnectionMs: number;
  /** Open calls of one connection, and of all, by the kind of call. */
  readonly calls: Readonly<Record<CallKind, { readonly perConnection: number; readonly inAll: number }>>;
  /** A request must arrive as a whole within this, or its connection ends. */
  readonly requestMs: number;
  /** The longest request, and the longest message of an upload. */
  readonly maxRequestBytes: number;
  /** Bytes of requests that arrive or are worked on, of one connection and of all. */
  readonly heldBytes: { readonly perConnection: number; readonly inAll: number };
  /** The longest time between two messages of an upload. */
  readonly uploadIdleMs: number;
  /** The longest time for a whole upload. */
  readonly uploadMs: number;
  /** The most bytes of all messages of one upload, by method. */
  readonly uploadBytes: Readonly<Record<string, number>>;
  /** A client that has not taken an answer of a stream after this is too slow for it. */
  readonly slowReaderMs: number;
  /** The longest single answer. */
  readonly maxAnswerBytes: number;
}

/** `call`: one request, one answer. `stream`: an answer that goes on. `upload`: `Import` and `Restore`. */
export type CallKind = "call" | "stream" | "upload" | "backup";

const MIB = 1024 * 1024;

export const ADMIN_LIMITS: AdminLimits = {
  maxConnections: 1_000,
  firstCallMs: 30_000,
  idleConnectionMs: 300_000,
  calls: {
    call: { perConnection: 100, inAll: 1_000 },
    stream: { perConnection: 64, inAll: 256 },
    upload: { perConnection: 2, inAll: 2 },
    backup: { perConnection: 2, inAll: 4 },
  },
  requestMs: 30_000,
  maxRequestBytes: 8 * MIB,
  heldBytes: { perConnection: 24 * MIB, inAll: 64 * MIB },
  uploadIdleMs: 60_000,
  uploadMs: 3_600_000,
  uploadBytes: { Import: 512 * MIB, Restore: 8192 * MIB },
  slowReaderMs: 30_000,
  maxAnswerBytes: 32 * MIB,
};

/**
 * The longest message that is read from the wire at all: longer than what is accepted, so that most callers learn from the
 * plane which limit it was, and not from the transport.
 */
export const WIRE_BYTES = 2 * ADMIN_LIMITS.maxRequestBytes;
/** The transport's own bound on calls of one connection, above all of `AdminLimits.calls`, which refuse with a reason. */
export const HTTP2_STREAMS = 512;
