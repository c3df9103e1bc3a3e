import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { type Metadata, status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { toServiceError } from "../../../src/admin/status.ts";
import { ControlPlaneError, invalid } from "../../../src/domain/errors.ts";
import { BadRequestSchema, ErrorInfoSchema } from "../../../src/gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../../src/gen/google/rpc/status_pb.ts";

const bytesOf = (metadata: Metadata | undefined) => metadata?.get("grpc-status-details-bin")[0] as Buffer;

test("an error carries its code and details for programs", () => {
  const error = new ControlPlaneError({
    kind: "notFound",
    code: "X_NOT_FOUND",
    message: "no x",
    details: { name: "x" },
  });
  const { code, details, metadata } = toServiceError(error);
  expect({ code, details }).toEqual({ code: status.NOT_FOUND, details: "no x" });
  const rich = fromBinary(StatusSchema, bytesOf(metadata));
  expect(rich.details.map((any) => anyUnpack(any, ErrorInfoSchema))).toMatchObject([
    { reason: "X_NOT_FOUND", domain: "fairlead", metadata: { name: "x" } },
  ]);
});

test("every bad field is in it", () => {
  const violations = [
    { field: "a.b", message: "is wrong" },
    { field: "c", message: "is wrong too" },
  ];
  const rich = fromBinary(StatusSchema, bytesOf(toServiceError(invalid("BAD", violations)).metadata));
  expect(rich.details.map((any) => anyUnpack(any, BadRequestSchema))[1]?.fieldViolations).toMatchObject([
    { field: "a.b", description: "is wrong" },
    { field: "c", description: "is wrong too" },
  ]);
});

test("a bug says nothing about the inside", () => {
  const { code, details } = toServiceError(new ControlPlaneError({ kind: "bug", code: "INTERNAL", message: "secret" }));
  expect(code).toBe(status.INTERNAL);
  expect(details).not.toContain("secret");
});

test("however much is wrong, the trailers stay short enough for any client", () => {
  const violations = Array.from({ length: 5000 }, (_, i) => ({ field: `f${i}`, message: "x".repeat(200) }));
  const { details, metadata } = toServiceError(invalid("BAD", violations));
  const bytes = Buffer.byteLength(details ?? "") + Buffer.byteLength(bytesOf(metadata).toString("base64"));
  expect(bytes).toBeLessThan(8192);
});
