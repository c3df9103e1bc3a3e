import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { ERROR_TABLE } from "../api/error-table.ts";
import type { ControlPlaneError } from "../domain/errors.ts";
import { printable } from "../domain/printable.ts";
import { BadRequestSchema, ErrorInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../gen/google/rpc/status_pb.ts";

const ERROR_DOMAIN = "fairlead";
/** Trailers travel as HTTP/2 headers, of which some clients accept 8 KiB in all; details are in base64 there. */
const MAX_DETAIL_BYTES = 3072;
const MAX_MESSAGE_LENGTH = 512;

/** The error as gRPC sends it: code, message, and google.rpc details for programs. */
export function toServiceError(error: ControlPlaneError): Pick<ServiceError, "code" | "details" | "metadata"> {
  const grpc = status[ERROR_TABLE[error.kind].grpc];
  const message = error.kind === "bug" ? "internal error; the plane's log has more" : shorten(printable(error.message));
  const metadata = new Metadata();
  const details = [anyPack(ErrorInfoSchema, infoOf(error)), ...badRequestOf(error)];
  const rich = create(StatusSchema, { code: grpc, message, details });
  metadata.set("grpc-status-details-bin", Buffer.from(toBinary(StatusSchema, rich)));
  return { code: grpc, details: message, metadata };
}

function infoOf(error: ControlPlaneError) {
  const metadata = Object.fromEntries(Object.entries(error.details).map(([key, value]) => [key, shorten(value)]));
  return create(ErrorInfoSchema, { reason: error.code, domain: ERROR_DOMAIN, metadata });
}

/** As many of the bad fields as fit. */
function badRequestOf({ violations }: ControlPlaneError) {
  if (violations.length === 0) return [];
  const fieldViolations: { field: string; description: string }[] = [];
  let bytes = 0;
  for (const { field, message } of violations) {
    const shown = { field: printable(field), description: printable(message) };
    bytes += Buffer.byteLength(shown.field) + Buffer.byteLength(shown.description) + 8;
    if (bytes > MAX_DETAIL_BYTES) break;
    fieldViolations.push(shown);
  }
  return [anyPack(BadRequestSchema, create(BadRequestSchema, { fieldViolations }))];
}

function shorten(text: string): string {
  return text.length <= MAX_MESSAGE_LENGTH ? text : `${text.slice(0, MAX_MESSAGE_LENGTH)}…`;
}
