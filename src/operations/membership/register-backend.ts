import { mergeFromBinary, toBinary } from "@bufbuild/protobuf";
import type { ControlPlaneError } from "../../domain/errors.ts";
import { type Name, serviceOf } from "../../domain/name.ts";
import type { RegisterBackendRequest } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { type Backend, BackendSchema } from "../../gen/fairlead/admin/v1/backend_pb.ts";
import { cloneMessage } from "../../schema/object-message.ts";
import type { Caller, Context } from "../context.ts";
import { badField, notFound, precondition, readName } from "../object-errors.ts";
import { type WrittenObject, writeObject } from "../writing/write-object.ts";

/**
 * Registers a backend, or changes the given fields of a registered one: what is left out stays as it is, also within its
 * locality and its maps.
 *
 * @throws ControlPlaneError `notFound` / `SERVICE_NOT_FOUND`; `precondition` / `BACKEND_DRAINING`: it would soon be removed.
 */
export async function registerBackend(
  context: Context,
  caller: Caller,
  { backend, expectedVersion, options }: Omit<RegisterBackendRequest, "$typeName">,
): Promise<WrittenObject> {
  if (backend === undefined) throw badField("backend", "must be given");
  const name = readName("backend", backend.name);
  return await writeObject(context, caller, {
    operation: "register-backend",
    kind: "backend",
    name,
    expectedVersion,
    options,
    put: (before, state) => {
      const service = serviceOf(name);
      if (state.get("service", service) === undefined) throw notFound("service", service);
      if (before?.object.state === "DRAINING") throw draining(name);
      const message = before === undefined ? backend : merged(before.message, backend);
      return { message, owner: before?.message.meta?.owner ?? "" };
    },
  });
}

/** The stored backend with the given fields of another merged in, as protobuf merges messages. */
function merged(before: Backend, given: Backend): Backend {
  return mergeFromBinary(BackendSchema, cloneMessage("backend", before), toBinary(BackendSchema, given));
}

function draining(name: Name): ControlPlaneError {
  const message = `backend ${name} is draining and will be removed; put it back into rotation first (\`fairlead drain ${name} --undo\`, DrainBackend with undo), or register it again once it is gone`;
  return precondition("BACKEND_DRAINING", message, { name });
}
