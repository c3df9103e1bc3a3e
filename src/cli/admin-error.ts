import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Metadata, status } from "@grpc/grpc-js";
import { BadRequestSchema, ErrorInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../gen/google/rpc/status_pb.ts";
import { unreachableText } from "./unreachable.ts";

export interface FieldViolation {
  readonly field: string;
  readonly message: string;
}

/** The plane's error, or the fact that it did not answer. */
export class AdminError extends Error {
  /** The gRPC status code. */
  readonly code: number;
  /** The plane's stable code, for example `BACKEND_NOT_FOUND`; empty when the error is not the plane's own. */
  readonly reason: string;
  readonly violations: readonly FieldViolation[];

  constructor(fields: { code: number; reason: string; message: string; violations: readonly FieldViolation[] }) {
    super(fields.message);
    this.name = "AdminError";
    this.code = fields.code;
    this.reason = fields.reason;
    this.violations = fields.violations;
  }

  get isNotFound(): boolean {
    return NOT_FOUND.has(this.code);
  }

  /** Whether no plane answered: a plane's own errors carry a reason. */
  get isUnreachable(): boolean {
    return this.reason === "" && UNANSWERED.has(this.code);
  }
}

const NOT_FOUND = new Set<number>([status.NOT_FOUND]);
const UNANSWERED = new Set<number>([status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.UNIMPLEMENTED]);

/** What is asked for; undefined when the plane says that it does not exist. */
export async function ifThere<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof AdminError && error.isNotFound) return undefined;
    throw error;
  }
}

/** The one place that converts what grpc-js throws. */
export function toAdminError(thrown: unknown, server: string): unknown {
  if (!(thrown instanceof Error) || !("code" in thrown) || typeof thrown.code !== "number") return thrown;
  const { code } = thrown;
  const text = "details" in thrown && typeof thrown.details === "string" ? thrown.details : thrown.message;
  const details = "metadata" in thrown && thrown.metadata instanceof Metadata ? detailsOf(thrown.metadata) : NO_DETAILS;
  const error = new AdminError({ code, message: text, ...details });
  if (!error.isUnreachable) return error;
  return new AdminError({ code, ...details, message: unreachableText(server, code, text) });
}

const NO_DETAILS = { reason: "", violations: [] as readonly FieldViolation[] };

function detailsOf(metadata: Metadata): typeof NO_DETAILS {
  const [bytes] = metadata.get("grpc-status-details-bin");
  if (!(bytes instanceof Uint8Array)) return NO_DETAILS;
  const { details } = fromBinary(StatusSchema, bytes);
  const info = details.map((any) => anyUnpack(any, ErrorInfoSchema)).find((found) => found !== undefined);
  const request = details.map((any) => anyUnpack(any, BadRequestSchema)).find((found) => found !== undefined);
  return {
    reason: info?.reason ?? "",
    violations: (request?.fieldViolations ?? []).map(({ field, description }) => ({ field, message: description })),
  };
}
