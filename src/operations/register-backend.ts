import { serviceOf } from "../domain/name.ts";
import type { RegisterBackendRequest } from "../gen/fairlead/admin/v1/admin_pb.ts";
import type { Caller, Context } from "./context.ts";
import { keepState } from "./keep-state.ts";
import { badField, notFound, readName } from "./object-errors.ts";
import { type WrittenObject, writeObject } from "./write-object.ts";

/**
 * Registers a backend, or changes a registered one. One that drains goes on draining.
 *
 * @throws ControlPlaneError `notFound` / `SERVICE_NOT_FOUND`.
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
      return { message: backend, owner: before?.message.meta?.owner ?? "", decide: keepState(before?.message) };
    },
  });
}
