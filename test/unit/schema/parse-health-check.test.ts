import { describe, expect, test } from "vitest";
import { storeKey } from "../../../src/domain/name.ts";
import { messageFromJson } from "../../../src/schema/object-json.ts";
import { parseObject } from "../../../src/schema/parse-object.ts";
import { decodeStored, encodeStored } from "../../../src/schema/stored-object.ts";
import { badChecks } from "../../support/bad-manifests.ts";
import { Authority } from "../../support/certificates.ts";

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

describe("what a check cannot use is refused when it is written, and read from a store that has it", () => {
  const pem = new Authority().certificate;

  test.each(badChecks(pem))("%s: %j", (field, healthCheck) => {
    const read = messageFromJson("service", { name: "shop", healthCheck, meta: {} });
    if (!read.ok) throw new Error(JSON.stringify(read.violations));
    const parsed = parseObject("service", read.message);
    expect(parsed.ok ? [] : parsed.violations.map((violation) => violation.field)).toEqual([field]);
    const stored = decodeStored(storeKey("service", "shop"), encodeStored("service", read.message), {
      epoch: 1,
      position: 1,
    });
    expect(stored.object).toMatchObject({ healthCheck: { probe: { kind: Object.keys(healthCheck)[0] } } });
  });

  test.each(["shop.example", "shop.example:9001", "10.0.0.1", "[2001:db8::1]:80", "a_b", ""])(
    "%j passes",
    (authority) => {
      expect(parseCheck({ grpc: { authority } })?.probe).toMatchObject({ authority });
      expect(
        parseCheck({ http: { host: authority, tls: { trustedCertificates: `a comment\n${pem}${pem}` } } }),
      ).toBeDefined();
    },
  );
});
