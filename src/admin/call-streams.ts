import type { Readable, Writable } from "node:stream";
import type { ControlPlaneError } from "../domain/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import { exhausted, refuseAbove } from "./exhausted.ts";
import type { AdminLimits } from "./limits.ts";

export interface Reading {
  readonly method: string;
  readonly signal: AbortSignal;
  readonly limits: AdminLimits;
  readonly clock: Clock;
}

/**
 * The messages of a call that takes a stream of them, one by one.
 *
 * @throws ControlPlaneError `exhausted` / `UPLOAD_TOO_LARGE`, `UPLOAD_TOO_SLOW`; the signal's reason when it is
 * aborted while one is awaited.
 */
export async function* messagesOf(
  call: Pick<Readable, "iterator">,
  { method, signal, limits, clock }: Reading,
): AsyncGenerator<Buffer> {
  // When reading ends, what is still to be sent must not end with it.
  const iterator = call.iterator({ destroyOnReturn: false });
  const startedAt = clock.monotonic();
  const max = limits.uploadBytes[method] ?? limits.maxRequestBytes;
  let bytes = 0;
  for (;;) {
    const leftMs = Math.max(startedAt + limits.uploadMs - clock.monotonic(), 0);
    const { uploadIdleMs, uploadMs } = limits;
    const late = () =>
      leftMs < uploadIdleMs
        ? tooSlow("all messages", method, uploadMs)
        : tooSlow("the next message", method, uploadIdleMs);
    const { value, done } = await within(iterator.next(), Math.min(uploadIdleMs, leftMs), { signal, clock }, late);
    if (done === true) return;
    bytes += value.byteLength;
    const limit = `bytes of all messages of one ${method}`;
    refuseAbove("UPLOAD_TOO_LARGE", { limit, came: bytes, max, cure: "divide what is sent" });
    yield value;
  }
}

/**
 * Sends one answer of a stream, and returns once the connection has taken it: no more than one is held for a slow
 * client.
 *
 * @throws ControlPlaneError `exhausted` / `READER_TOO_SLOW`; the signal's reason when it is aborted first.
 */
export async function send(
  call: Pick<Writable, "write">,
  answer: Buffer,
  { signal, limits, clock }: Reading,
): Promise<void> {
  const written = new Promise<void>((resolve, reject) => {
    call.write(answer, (error: unknown) => (error ? reject(error) : resolve()));
  });
  await within(written, limits.slowReaderMs, { signal, clock }, () =>
    exhausted("READER_TOO_SLOW", {
      limit: "time to take an answer of a stream",
      came: `${answer.byteLength} bytes not taken in ${limits.slowReaderMs / 1000} s`,
      max: `${limits.slowReaderMs / 1000} s`,
      cure: "read faster, or watch again from the last revision",
    }),
  );
}

async function within<T>(
  awaited: Promise<T>,
  ms: number,
  { signal, clock }: Pick<Reading, "signal" | "clock">,
  late: () => ControlPlaneError,
): Promise<T> {
  awaited.catch(() => undefined);
  signal.throwIfAborted();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const stop = clock.after(ms, () => reject(late()));
  try {
    return await Promise.race([awaited, ended]);
  } finally {
    stop();
    signal.removeEventListener("abort", onAbort);
  }
}

function tooSlow(what: string, method: string, ms: number): ControlPlaneError {
  return exhausted("UPLOAD_TOO_SLOW", {
    limit: `time for ${what} of one ${method}`,
    came: "no end",
    max: `${ms / 1000} s`,
    cure: "nothing was changed; send it without a pause",
  });
}
