import { create } from "@bufbuild/protobuf";
import type { PresencePart } from "../../domain/presence.ts";
import type { ForgetNodeRequest } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { type WriteResponse, WriteResponseSchema } from "../../gen/fairlead/admin/v1/write_pb.ts";
import { PRESENCE } from "../../store/keys/presence-record.ts";
import { readForm } from "../../store/keys/record-form.ts";
import type { StoreOp } from "../../store/state-store.ts";
import type { Caller, Context } from "../context.ts";
import { precondition } from "../object-errors.ts";
import { nodeMissing } from "../observing/get-node.ts";
import { executeWrite } from "../writing/execute-write.ts";

/**
 * Takes a proxy that is gone out of the record of its fleet: it is a problem no more, unless it comes back and goes again.
 *
 * @throws ControlPlaneError `notFound` / `NODE_NOT_FOUND`, `precondition` / `NODE_CONNECTED`, `unavailable` / `REPLICA_SILENT`
 * when it may be connected to a replica that does not answer.
 */
export async function forgetNode(
  context: Context,
  caller: Caller,
  { id, options }: Omit<ForgetNodeRequest, "$typeName">,
): Promise<WriteResponse> {
  const answer = await executeWrite<WriteResponse>(context, caller, {
    operation: "forget-node",
    options,
    expectedVersion: "",
    responseSchema: WriteResponseSchema,
    plan: async () => {
      const { told, unknown } = await context.nodes.nodes({ id, detail: "place" });
      const connected = told.find((node) => node.connected);
      if (connected !== undefined) throw isConnected(id, connected.replica);
      const ops: StoreOp[] = [];
      for (const [name, part] of context.mirror.records("presence")) {
        const known = part.proxies.find((one) => one.id === id);
        if (known === undefined) continue;
        const silent = unknown.filter(({ replica }) => known.state === "here" && replica === known.replica);
        if (silent.length > 0) throw nodeMissing(id, silent);
        ops.push(...(await removal(context, PRESENCE.key(name), id)));
      }
      if (ops.length === 0)
        throw nodeMissing(
          id,
          [],
          "is recorded: it was never connected for more than some seconds, or it has been forgotten already",
        );
      return { ops, response: create(WriteResponseSchema) };
    },
  });
  if (options?.validateOnly !== true) await context.nodes.forget(id);
  return answer;
}

/** Takes it out of what the store holds now, which may be newer than what was folded. */
async function removal({ store }: Pick<Context, "store">, key: string, id: string): Promise<StoreOp[]> {
  const entry = await store.get(key);
  const part: PresencePart | undefined = entry && readForm(PRESENCE, entry.value);
  if (entry === undefined || part === undefined) return [];
  const proxies = part.proxies.filter((one) => one.id !== id);
  const guard = entry.revision;
  if (proxies.length === 0) return [{ op: "delete", key, guard }];
  return [{ op: "put", key, value: PRESENCE.encode({ ...part, proxies }), guard }];
}

function isConnected(id: string, replica: string) {
  const message = `proxy ${id} is connected to ${replica}: only one that is gone can be forgotten; stop it first`;
  return precondition("NODE_CONNECTED", message, { node: id });
}
