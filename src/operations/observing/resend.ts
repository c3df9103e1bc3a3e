import type { Context } from "../context.ts";
import { nodeMissing } from "./get-node.ts";

/**
 * Sends a connected proxy again all that it should have, of one type or of all, changed or not; what it refused is tried
 * again. Returns how many resources that is, and which replicas did not answer.
 *
 * @throws ControlPlaneError `notFound` / `NODE_NOT_FOUND`, `unavailable` / `REPLICA_SILENT`.
 */
export async function resend({ nodes }: Pick<Context, "nodes">, id: string, typeUrl: string | undefined) {
  const { told, unknown } = await nodes.resend(id, typeUrl);
  if (told === undefined) throw nodeMissing(id, unknown, "is connected");
  return { resources: told, unknown };
}
