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
  if ("generationsOf" in wanted) {
    const { kind, generationsOf: name } = wanted;
    const entry = findKind(kind);
    if (entry === undefined) return [];
    const { entries } = await admin.call(AdminService.method.listHistory, { kind: entry.kind, name });
    return entries.map(({ generation }) => String(generation));
  }
  if (wanted.kind === "node") {
    const { nodes } = await admin.call(AdminService.method.listNodes, {});
    return [...new Set(nodes.map(({ id }) => wanted.before + id))];
  }
  const shown = (await findKind(wanted.kind)?.list(admin, { service: "", labels: {} })) ?? [];
  return shown.flatMap(({ json }) => (typeof json["name"] === "string" ? [wanted.before + json["name"]] : []));
}
