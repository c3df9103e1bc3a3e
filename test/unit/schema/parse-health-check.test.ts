import { expect, test } from "vitest";
import { messageFromJson } from "../../../src/schema/object-json.ts";
import { parseObject } from "../../../src/schema/parse-object.ts";

function parseCheck(healthCheck: object) {
  const read = messageFromJson("service", { name: "shop", healthCheck });
  if (!read.ok) throw new Error(JSON.stringify(read.violations));
  const parsed = parseObject("service", read.message);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.violations));
  return parsed.object.healthCheck;
}

test("a short check has the documented defaults", () => {
  expect(parseCheck({ http: {} })).toEqual({
    probe: {
      kind: "http",
      method: "GET",
      path: "/",
      host: "",
      headers: {},
      expectedStatuses: [{ first: 200, last: 299 }],
      expectedBody: "",
      tls: undefined,
    },
    intervalMs: 5000,
    timeoutMs: 1000,
    unhealthyThreshold: 3,
    healthyThreshold: 2,
    jitterRatio: 0,
    changingIntervalMs: 1000,
    initial: "PENDING",
    addedAt: undefined,
  });
});

test("a short interval shortens the defaults that depend on it", () => {
  expect(parseCheck({ tcp: {}, interval: "0.2s" })).toMatchObject({ timeoutMs: 200, changingIntervalMs: 200 });
});

test("the check of a manifest is read as it is written", () => {
  const check = parseCheck({
    http: { path: "/healthz?deep=1", tls: { serverName: "shop.example", skipVerification: true } },
    interval: "5s",
    timeout: "1s",
    unhealthyThreshold: 3,
    healthyThreshold: 2,
    initialState: "HEALTHY",
  });
  expect(check).toMatchObject({
    probe: { path: "/healthz?deep=1", tls: { serverName: "shop.example", verify: false } },
    initial: "HEALTHY",
  });
});
