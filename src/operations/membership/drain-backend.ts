import type { DrainBackendRequest } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { Backend_State } from "../../gen/fairlead/admin/v1/backend_pb.ts";
import { instantOfMs } from "../../runtime/instant.ts";
import type { Caller, Context } from "../context.ts";
import { notFound, readName } from "../object-errors.ts";
import { overlay } from "../writing/overlay-state.ts";
import { type WrittenObject, writeObject } from "../writing/write-object.ts";
import { othersServe } from "./last-eligible.ts";

/**
 * Takes a backend out of rotation, or puts it back. Repeating it changes nothing: a drain keeps the time it began.
 *
 * @throws ControlPlaneError `notFound`; `conflict` / `VERSION_MISMATCH`; `precondition` / `NO_BACKEND_LEFT` unless allowed.
 */
export async function drainBackend(
  context: Context,
  caller: Caller,
  { name: text, undo, expectedVersion, allowRemoval, options }: Omit<DrainBackendRequest, "$typeName">,
): Promise<WrittenObject> {
  const name = readName("backend", text);
  const wanted = undo ? Backend_State.ACTIVE : Backend_State.DRAINING;
  return await writeObject(context, caller, {
    operation: undo ? "undo-drain-backend" : "drain-backend",
    kind: "backend",
    name,
    expectedVersion,
    options,
    restOn: ({ op, object }, state) =>
      undo || allowRemoval || op === undefined
        ? undefined
        : othersServe(state, overlay(state, [{ kind: "backend", name, object }]), name),
    put: (before) => {
      if (before === undefined) throw notFound("backend", name);
      const { message } = before;
      return {
        message,
        owner: message.meta?.owner ?? "",
        decide: (draft) => {
          if ((message.state === Backend_State.DRAINING) === (wanted === Backend_State.DRAINING)) return false;
          draft.state = wanted;
          if (undo) delete draft.drainTime;
          else draft.drainTime = instantOfMs(context.store.now());
          return true;
        },
      };
    },
  });
}
