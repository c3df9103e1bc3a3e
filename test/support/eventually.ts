/**
 * Asks `read` again and again until `holds` accepts what it returned, and returns that.
 * A `read` that throws counts as not yet.
 *
 * @throws Error after `timeoutMs`, with what was waited for, the last value, and what `explain` adds.
 */
export async function eventually<T>(
  read: () => T | Promise<T>,
  holds: (value: T) => boolean,
  options: {
    readonly what: string;
    readonly timeoutMs?: number;
    readonly everyMs?: number;
    readonly explain?: () => string;
  },
): Promise<T> {
  const { what, timeoutMs = 20_000, everyMs = 20, explain } = options;
  const until = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await read();
      if (holds(value)) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > until) {
      const seen = last instanceof Error ? last.message : (JSON.stringify(last)?.slice(0, 2_000) ?? "nothing");
      throw new Error(`${what}: not within ${timeoutMs} ms; last seen: ${seen}\n${explain?.() ?? ""}`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
