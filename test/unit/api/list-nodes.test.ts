import { create, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listNodes } from "../../../src/api/list-nodes.ts";
import { ListNodesRequestSchema, ListNodesResponseSchema } from "../../../src/gen/fairlead/admin/v1/observe_pb.ts";
import { openPlaneContext, type PlaneContext } from "../../support/plane-context.ts";

let plane: PlaneContext;
beforeEach(async () => {
  plane = await openPlaneContext();
});
afterEach(() => plane.close());

const page = (pageToken = "", more = {}) => listNodes(plane, create(ListNodesRequestSchema, { pageToken, ...more }));

test("proxies come page by page, and no page is longer than any gRPC client takes", async () => {
  const ids = Array.from({ length: 4_000 }, (_, i) => `${String(i).padStart(4, "0")}-${"x".repeat(1_000)}`);
  for (const id of ids) plane.nodes.set({ id }, { state: "done" });
  const seen: string[] = [];
  for (let token = ""; ; ) {
    const answer = await page(token);
    expect(toBinary(ListNodesResponseSchema, answer).byteLength).toBeLessThan(4 * 1024 * 1024);
    seen.push(...answer.nodes.map(({ id }) => id));
    token = answer.nextPageToken;
    if (token === "") break;
  }
  expect(seen).toEqual(ids);
});

test("a token belongs to one fleet", async () => {
  for (const id of ["a", "b"]) plane.nodes.set({ id }, { state: "done" });
  const { nextPageToken } = await page("", { pageSize: 1 });
  expect((await page(nextPageToken)).nodes.map(({ id }) => id)).toEqual(["b"]);
  await expect(page(nextPageToken, { fleet: "edge" })).rejects.toMatchObject({ code: "INVALID_FIELD" });
});
