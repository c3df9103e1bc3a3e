import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { ERROR_TABLE, exitOf } from "../../../src/api/error-table.ts";
import { EXIT } from "../../../src/cli/exit.ts";

const rows = Object.values(ERROR_TABLE);

test("each kind of error has a gRPC code of its own, an HTTP status of a failure and an exit code", () => {
  const codes = rows.map(({ grpc }) => status[grpc]);
  expect(new Set(codes).size).toBe(rows.length);
  expect(codes).not.toContain(undefined);
  for (const { http, exit } of rows) {
    expect(http).toBeGreaterThanOrEqual(400);
    expect(EXIT[exit]).toBeGreaterThan(0);
  }
});

test("an exit code follows from the gRPC code, unless the plane's own code says more", () => {
  expect(exitOf("NOT_FOUND", "SERVICE_NOT_FOUND")).toBe("notThere");
  expect(exitOf("ABORTED", "VERSION_MISMATCH")).toBe("tryAgain");
  expect(exitOf("ABORTED", "STORE_REPLACED")).toBe("failed");
  expect(exitOf("RESOURCE_EXHAUSTED", "REQUEST_TOO_LARGE")).toBe("failed");
  expect(exitOf("RESOURCE_EXHAUSTED", "TOO_MANY_CALLS")).toBe("tryAgain");
  expect(exitOf(undefined, "")).toBe("failed");
});
