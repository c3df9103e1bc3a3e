import { AdminService } from "../gen/fairlead/admin/v1/admin_pb.ts";
import type { Wanted } from "./complete.ts";
import type { CliContext } from "./io.ts";
import { findKind } from "./object-reference.ts";

/** The longest that somebody who presses the Tab key waits for a plane. */
const PATIENCE_MS = 1_000;

/** The names that a plane knows; none when it fails or does not answer soon: completion must not print errors. */
export async function planeNames(context: CliContext, wanted: Wanted): Promise<readonly string[]> {
  const late = Promise.withResolvers<readonly string[]>();
  const stop = context.io.clock.after(PATIENCE_MS, () => late.resolve([]));
  try {
    return await Promise.race([late.promise, askedNames(context, wanted)]);
  } catch {
    return [];
  } finally {
    stop();
  }
}

async function askedNames(context: CliContext, wanted: Wanted): Promise<readonly string[]> {
  const admin = context.admin();
  if (wanted.of === "node") {
    const { nodes } = await admin.call(AdminService.method.listNodes, {});
    return [...new Set(nodes.map(({ id }) => wanted.before + id))];
  }
  const entry = findKind(wanted.kind);
  if (entry === undefined) return [];
  if (wanted.of === "generations") {
    const { entries } = await admin.call(AdminService.method.listHistory, { kind: entry.kind, name: wanted.name });
    return entries.map(({ generation }) => String(generation));
  }
  const shown = await entry.list(admin, { service: "", labels: {} });
  return shown.flatMap(({ json }) => (typeof json["name"] === "string" ? [wanted.before + json["name"]] : []));
}
