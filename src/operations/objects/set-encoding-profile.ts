import { create } from "@bufbuild/protobuf";
import { encodingProfile } from "../../domain/encoding-profile.ts";
import type { ControlPlaneError } from "../../domain/errors.ts";
import {
  type SetEncodingProfileRequest,
  type SetEncodingProfileResponse,
  SetEncodingProfileResponseSchema,
} from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { RECORDS } from "../../store/keys/records.ts";
import type { Caller, Context } from "../context.ts";
import { precondition } from "../object-errors.ts";
import { type ReplicaState, replicasOf } from "../observing/replicas.ts";
import { executeWrite } from "../writing/execute-write.ts";
import { overlay } from "../writing/overlay-state.ts";
import { reachOf } from "./reach.ts";

/**
 * Switches all replicas to another encoding profile at one revision, so that no proxy sees bytes flip as it moves. With
 * `validate_only`, reports what the fleets would be sent.
 *
 * @throws ControlPlaneError `precondition` / `PROFILE_UNSUPPORTED` while a replica does not support it, or is silent and may not.
 */
export async function setEncodingProfile(
  context: Context,
  caller: Caller,
  { profile, options }: Omit<SetEncodingProfileRequest, "$typeName">,
): Promise<SetEncodingProfileResponse> {
  const { mirror, nodes } = context;
  const proxies = options?.validateOnly === true ? (await nodes.nodes({ detail: "place" })).told : undefined;
  return await executeWrite<SetEncodingProfileResponse>(context, caller, {
    operation: "set-encoding-profile",
    options,
    expectedVersion: "",
    plan: () => {
      const before = encodingProfile(mirror);
      const previousProfile = Number.isFinite(before) ? before : 0;
      if (before === profile)
        return { ops: [], response: create(SetEncodingProfileResponseSchema, { previousProfile }) };
      const against = replicasOf(context).flatMap((replica) => objection(replica, profile));
      if (against.length > 0) throw unsupported(profile, against);
      const reach = proxies === undefined ? [] : reachOf(mirror, overlay(mirror, [], { profile }), proxies);
      return {
        ops: [{ op: "put", key: RECORDS.profile.key(""), value: RECORDS.profile.encode(profile) }],
        response: create(SetEncodingProfileResponseSchema, { previousProfile, reach }),
      };
    },
    responseSchema: SetEncodingProfileResponseSchema,
  });
}

function objection({ name, live, profiles }: ReplicaState, profile: number): string | readonly [] {
  if (!live) return `${name} is silent, and may not support it`;
  return profiles.includes(profile) ? [] : `${name} supports ${profiles.join(", ") || "none"}`;
}

function unsupported(profile: number, against: readonly string[]): ControlPlaneError {
  const message = `not every replica supports encoding profile ${profile}: ${against.join("; ")}`;
  return precondition("PROFILE_UNSUPPORTED", message, { profile: String(profile) });
}
