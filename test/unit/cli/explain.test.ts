import { create, fromJson } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ExplainBackendResponseSchema } from "../../../src/gen/fairlead/admin/v1/explain_pb.ts";
import { runAgainst } from "./fake-plane.ts";

const meta = { createTime: "2026-11-12T08:00:00Z", updateTime: "2026-11-20T14:02:11Z" };
const UNHEALTHY = fromJson(ExplainBackendResponseSchema, {
  backend: {
    name: "shop/shop-3",
    meta,
    state: "ACTIVE",
    locality: { zone: "eu-1a" },
    status: { message: "unhealthy by prober: HTTP 503" },
  },
  healthCheck: { http: { path: "/healthz" } },
  verdicts: [
    {
      counts: true,
      health: {
        backend: "shop/shop-3",
        source: "prober",
        status: "UNHEALTHY",
        reason: "HTTP 503",
        observer: "plane-b",
        inARow: 3,
        lastGoodTime: "2026-11-20T14:01:58Z",
        meta,
      },
    },
  ],
  revision: "1.8812",
  proxies: 12,
  acknowledged: 12,
  acknowledgedAfter: "0.038s",
  ejection: "not known: each proxy may stop sending",
  checkedBy: "plane-b",
  checks: [
    { time: "2026-11-20T14:02:13Z", outcome: "UNHEALTHY", reason: "HTTP 503", took: "0.002s" },
    { time: "2026-11-20T14:02:12Z", outcome: "UNHEALTHY", reason: "timeout after 1000 ms", took: "1s" },
  ],
});

test("explain backend leads from membership over health and policy to the proxies", async () => {
  const { code, stdout } = await runAgainst({ ExplainBackend: () => UNHEALTHY }, ["explain", "backend", "shop/shop-3"]);
  expect(code).toBe(0);
  expect(stdout.split("\n")).toEqual([
    "  not routable: unhealthy by prober: HTTP 503",
    "    member       active, weight 1, eu-1a, since 2026-11-12 08:00:00 UTC",
    "    health       unhealthy, seen by plane-b: HTTP 503 (3 in a row, threshold 3); last good 2026-11-20 14:01:58 UTC; since 2026-11-20 14:02:11 UTC",
    "                 last checks by plane-b: 14:02:13 HTTP 503 in 2 ms, 14:02:12 timeout after 1000 ms in 1.0 s",
    "    policy       built-in, panic threshold 0: unhealthy backends get nothing",
    "    ejection     not known: each proxy may stop sending",
    "    proxies      12 of 12 have acknowledged its removal from rotation, 38 ms after the verdict (revision 1.8812)",
    "",
  ]);
});

test("explain backend says that nothing is known", async () => {
  const empty = create(ExplainBackendResponseSchema, {});
  const { stdout } = await runAgainst({ ExplainBackend: () => empty }, ["explain", "backend", "shop/shop-3"]);
  expect(stdout).toContain("health       not checked, and no one reports on it");
});
