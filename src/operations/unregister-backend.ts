import { create } from "@bufbuild/protobuf";
import type { UnregisterBackendRequest } from "../gen/fairlead/admin/v1/admin_pb.ts";
import { type WriteResponse, WriteResponseSchema } from "../gen/fairlead/admin/v1/write_pb.ts";
import type { Caller, Context } from "./context.ts";
import { executeWrite } from "./execute-write.ts";
import { checkExpectedVersion } from "./expected-version.ts";
import { notFound, readName } from "./object-errors.ts";
import { planRemoval } from "./plan-removal.ts";

/** Removes a backend with its verdicts, at once. @throws ControlPlaneError `notFound`; `conflict` / `VERSION_MISMATCH`. */
export async function unregisterBackend(
  context: Context,
  caller: Caller,
  { name: text, expectedVersion, options }: Omit<UnregisterBackendRequest, "$typeName">,
): Promise<WriteResponse> {
  const name = readName("backend", text);
  const { mirror } = context;
  return await executeWrite<WriteResponse>(context, caller, {
    operation: "unregister-backend",
    options,
    expectedVersion,
    plan: () => {
      checkExpectedVersion(mirror, "backend", name, expectedVersion);
      if (mirror.stored("backend", name) === undefined) throw notFound("backend", name);
      return { ops: planRemoval(mirror, "backend", name), response: create(WriteResponseSchema) };
    },
    responseSchema: WriteResponseSchema,
    objectOf: () => undefined,
    brief: (response) => response,
  });
}
