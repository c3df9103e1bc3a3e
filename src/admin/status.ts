import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import type { ControlPlaneError, ErrorKind } from "../domain/errors.ts";
import { printable } from "../domain/printable.ts";
import { BadRequestSchema, ErrorInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../gen/google/rpc/status_pb.ts";

/** What each kind of error is on the wire. Codes and their HTTP mapping follow the comments of google/rpc/code.proto. */
const STATUS: Readonly<Record<ErrorKind, { readonly grpc: status; readonly http: number }>> = {
  invalid: { grpc: status.INVALID_ARGUMENT, http: 400 },
  notFound: { grpc: status.NOT_FOUND, http: 404 },
  exists: { grpc: status.ALREADY_EXISTS, http: 409 },
  conflict: { grpc: status.ABORTED, http: 409 },
  precondition: { grpc: status.FAILED_PRECONDITION, http: 400 },
  unauthenticated: { grpc: status.UNAUTHENTICATED, http: 401 },
  denied: { grpc: status.PERMISSION_DENIED, http: 403 },
  exhausted: { grpc: status.RESOURCE_EXHAUSTED, http: 429 },
  unavailable: { grpc: status.UNAVAILABLE, http: 503 },
  timeout: { grpc: status.DEADLINE_EXCEEDED, http: 504 },
  cancelled: { grpc: status.CANCELLED, http: 499 },
  corrupt: { grpc: status.DATA_LOSS, http: 500 },
  bug: { grpc: status.INTERNAL, http: 500 },
};

const ERROR_DOMAIN = "fairlead";
/** Trailers travel as HTTP/2 headers, of which some clients accept 8 KiB in all; details are in base64 there. */
const MAX_DETAIL_BYTES = 3072;
const MAX_MESSAGE_LENGTH = 512;

/** The error as gRPC sends it: code, message, and google.rpc details for programs. */
export function toServiceError(error: ControlPlaneError): Pick<ServiceError, "code" | "details" | "metadata"> {
  const { grpc } = STATUS[error.kind];
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
