import { create } from "@bufbuild/protobuf";
import {
  type ResendRequest,
  type ResendResponse,
  ResendResponseSchema,
} from "../../gen/fairlead/admin/v1/observe_pb.ts";
import type { Context } from "../context.ts";
import { nodeMissing } from "./get-node.ts";
import { unknownMessage } from "./node-message.ts";
import { readResourceType } from "./resource-type.ts";

/**
 * Sends a connected proxy again all that it should have, changed or not; what it refused is tried again.
 *
 * @throws ControlPlaneError `notFound` / `NODE_NOT_FOUND`, `unavailable` / `REPLICA_SILENT`.
 */
export async function resend(
  { nodes }: Pick<Context, "nodes">,
  { id, type }: Pick<ResendRequest, "id" | "type">,
): Promise<ResendResponse> {
  const { told, unknown } = await nodes.resend(id, readResourceType(type));
  if (told === undefined) throw nodeMissing(id, unknown, "is connected");
  return create(ResendResponseSchema, { resources: told, unknownReplicas: unknown.map(unknownMessage) });
}
