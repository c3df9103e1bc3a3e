import type { Revision } from "../../store/revision.ts";
import type { Context } from "../context.ts";

/** How far the connected proxies that were sent a resource are on their way to a revision. */
export async function proxiesAt(
  { nodes }: Pick<Context, "nodes">,
  sent: { readonly typeUrl: string; readonly name: string },
  revision: Revision,
) {
  const { told, unknown } = await nodes.nodes({ detail: "place", sent });
  const { progress, settledAfterMs } = await nodes.progress([...new Set(told.map(({ id }) => id))], revision);
  const pending = [...progress].flatMap(([id, one]) =>
    one.state === "done" ? [] : [{ id, state: one.state, message: one.message }],
  );
  const isSettled = pending.length === 0 && unknown.length === 0 && settledAfterMs !== undefined;
  return {
    proxies: progress.size,
    acknowledged: progress.size - pending.length,
    pending,
    /** How long after the write the last of them had acknowledged it; undefined while one has not, or may not have. */
    settledAfterMs: isSettled ? settledAfterMs : undefined,
    unknown,
  };
}
