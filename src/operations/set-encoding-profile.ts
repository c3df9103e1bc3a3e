import { create } from "@bufbuild/protobuf";
import { encodingProfile } from "../domain/encoding-profile.ts";
import { ControlPlaneError } from "../domain/errors.ts";
import type { SetEncodingProfileRequest } from "../gen/fairlead/admin/v1/admin_pb.ts";
import { type WriteResponse, WriteResponseSchema } from "../gen/fairlead/admin/v1/write_pb.ts";
import { RECORDS } from "../store/keys/records.ts";
import type { Caller, Context } from "./context.ts";
import { executeWrite } from "./execute-write.ts";
import { type ReplicaView, replicasOf } from "./replicas.ts";

/**
 * Switches all replicas to another encoding profile at one revision, so that no proxy sees bytes flip as it moves.
 *
 * @throws ControlPlaneError `precondition` / `PROFILE_UNSUPPORTED` while any replica cannot, or is silent and may not.
 */
export async function setEncodingProfile(
  context: Context,
  caller: Caller,
  { profile, options }: Omit<SetEncodingProfileRequest, "$typeName">,
): Promise<WriteResponse> {
  return await executeWrite<WriteResponse>(context, caller, {
    operation: "set-encoding-profile",
    options,
    expectedVersion: "",
    plan: () => {
      const response = create(WriteResponseSchema);
      if (encodingProfile(context.mirror) === profile) return { ops: [], response };
      const against = replicasOf(context).flatMap((replica) => objection(replica, profile));
      if (against.length > 0) throw unsupported(profile, against);
      return { ops: [{ op: "put", key: RECORDS.profile.key(""), value: RECORDS.profile.encode(profile) }], response };
    },
    responseSchema: WriteResponseSchema,
    objectOf: () => undefined,
    brief: (response) => response,
  });
}

function objection({ name, live, profiles }: ReplicaView, profile: number): string | readonly [] {
  if (!live) return `${name} is silent, and may not support it`;
  return profiles.includes(profile) ? [] : `${name} supports ${profiles.join(", ") || "none"}`;
}

function unsupported(profile: number, against: readonly string[]): ControlPlaneError {
  return new ControlPlaneError({
    kind: "precondition",
    code: "PROFILE_UNSUPPORTED",
    message: `not every replica supports encoding profile ${profile}: ${against.join("; ")}`,
    details: { profile: String(profile) },
  });
}
