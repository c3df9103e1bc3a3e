import { create, toJson } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readConfig } from "../../../src/app/config.ts";
import { duration } from "../../../src/cli/options.ts";
import { ServiceSchema } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { parseDuration } from "../../../src/schema/duration-text.ts";
import { manifestSchema } from "../../../src/schema/json-schema.ts";
import { messageFromJson } from "../../../src/schema/object-json.ts";

const SECOND = 1_000_000_000n;

/** The three places where somebody writes a duration, each as milliseconds; nothing where it is refused. */
const PLACES: Readonly<Record<string, (text: string) => number | undefined>> = {
  manifest: (text) => {
    const read = messageFromJson("service", { name: "a", drainTime: text });
    if (!read.ok) return undefined;
    const { seconds = 0n, nanos = 0 } = read.message.drainTime ?? {};
    return Math.round(Number(seconds) * 1000 + nanos / 1e6);
  },
  option: (text) => {
    try {
      return duration(text);
    } catch {
      return undefined;
    }
  },
  setting: (text) => {
    const options = { "stop-grace": text };
    const read = readConfig({ options, environment: {}, file: {}, hostName: "a" });
    return "config" in read ? read.config.stopGraceMs : undefined;
  },
};

describe.each(Object.entries(PLACES))("in a %s", (_, read) => {
  test.each([
    ["0s", 0],
    ["500ms", 500],
    ["30s", 30_000],
    ["0.25s", 250],
    ["2m", 120_000],
    ["2min", 120_000],
    ["0.05h", 180_000],
    ["1m30s", 90_000],
    ["1s500ms", 1500],
    ["0.001d", 86_400],
  ])("%s is %d ms", (text, ms) => {
    expect(read(text)).toBe(ms);
  });

  test.each(["s", "-5s", "5 s", "5x", "1.5.5s", "five", "5sm", "999999999999d", " 5s", "5s\n"])(
    "%j is refused",
    (text) => {
      expect(read(text)).toBeUndefined();
    },
  );
});

test("every duration that the API's JSON form prints is read as what it was", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 315_576_000_000n - 1n), fc.integer({ min: 0, max: 999_999_999 }), (seconds, nanos) => {
      const message = create(ServiceSchema, { name: "a", drainTime: { seconds, nanos } });
      const json = toJson(ServiceSchema, message) as { drainTime: string };
      expect(parseDuration(json.drainTime)).toBe(seconds * SECOND + BigInt(nanos));
      expect(messageFromJson("service", json)).toEqual({ ok: true, message });
    }),
  );
});

test("durations in lists and in objects of their own are read too", () => {
  const check = { http: {}, interval: "1m", timeout: "1500ms" };
  expect(messageFromJson("service", { name: "a", healthCheck: check })).toMatchObject({
    message: { healthCheck: { interval: { seconds: 60n }, timeout: { seconds: 1n, nanos: 500_000_000 } } },
  });
  const rules = [{ to: [{ service: "a" }], timeout: "1h", retry: { per_try_timeout: "1m30s" } }];
  expect(messageFromJson("route", { name: "a", rules })).toMatchObject({
    message: { rules: [{ timeout: { seconds: 3600n }, retry: { perTryTimeout: { seconds: 90n } } }] },
  });
});

test.each([
  [30, '; did you mean "30s"?'],
  ["30", '; did you mean "30s"?'],
  ["5 m", '; did you mean "5m"?'],
  ["soon", ""],
])("%j without a unit is refused with what would be right", (drainTime, hint) => {
  const read = messageFromJson("service", { name: "a", drainTime });
  const said = `must be a duration such as "30s", "500ms", "5m" or "1h30m", not ${JSON.stringify(drainTime)}${hint}`;
  expect(read).toEqual({ ok: false, violations: [{ field: "drainTime", message: said }] });
});

test("a setting may still be a bare number of seconds", () => {
  expect(PLACES["setting"]?.("7")).toBe(7000);
  expect(PLACES["setting"]?.("301")).toBeUndefined();
});

test("editors accept what is read", () => {
  const pattern = /"pattern":"(\^\(\[0-9\][^"]*)"/.exec(JSON.stringify(manifestSchema()))?.[1] ?? "";
  const regex = new RegExp(JSON.parse(`"${pattern}"`) as string);
  expect(["30s", "1h30m", "0.25s", "2d", "5min"].filter((text) => !regex.test(text))).toEqual([]);
  expect(["30", "-5s", "5 m", "h"].filter((text) => regex.test(text))).toEqual([]);
});
