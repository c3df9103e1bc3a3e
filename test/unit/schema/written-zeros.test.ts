import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { Kind } from "../../../src/domain/name.ts";
import { messageFromJson } from "../../../src/schema/object-json.ts";
import { descriptorOf, outputOnly } from "../../../src/schema/object-message.ts";
import { parseObject } from "../../../src/schema/parse-object.ts";

/** Where 0 is a value that the field takes, and means nothing else. Of every other field a written 0 is refused. */
const ZERO_MEANS_ZERO = [
  "fleet expected",
  "service drainTime",
  "service healthCheck.jitterPercent",
  "policy panicThreshold",
  "policy hashOn.0.cookie.ttl",
  "backend priority",
  "listener streamIdleTimeout",
  "listener drainTimeout",
  "route rules.0.priority",
  "route rules.0.to.0.weight",
  "route rules.0.timeout",
];

type Written = Exclude<Kind, "health">;
type Json = Record<string, unknown>;

/** Objects that have everything around the fields: what is left to do is to write a 0. */
const WHOLE: Readonly<Record<Written, () => Json>> = {
  service: () => ({ name: "shop", healthCheck: { http: { expectedStatuses: [{ first: 200 }] } } }),
  policy: () => ({ name: "shop", hashOn: [{ cookie: { name: "who" } }] }),
  backend: () => ({ name: "shop/a", address: "10.0.0.1:80" }),
  listener: () => ({ name: "web", fleet: "edge", address: "0.0.0.0:80" }),
  route: () => {
    const to = ["shop", "cart"].map((service) => ({ service, weight: 1 }));
    return { name: "shop", listeners: ["web"], hosts: ["*"], rules: [{ to, retry: { attempts: 1 } }] };
  },
  fleet: () => ({ name: "edge" }),
};
const KINDS = Object.keys(WHOLE) as Written[];
const NUMBERS: readonly (ScalarType | undefined)[] = [
  ScalarType.UINT32,
  ScalarType.UINT64,
  ScalarType.INT32,
  ScalarType.INT64,
  ScalarType.DOUBLE,
];

/** The paths of all numbers and durations that a client can write; of a message inside of its own kind, those outside are enough. */
function quantities(
  desc: DescMessage,
  hidden: readonly string[] = [],
  around: readonly DescMessage[] = [],
): [path: string, zero: unknown][] {
  if (around.includes(desc)) return [];
  const fields = desc.fields.filter(({ jsonName }) => !hidden.includes(jsonName));
  return fields.flatMap((field) => pathsOf(field, [...around, desc]));
}

function pathsOf(field: DescField, around: readonly DescMessage[]): [path: string, zero: unknown][] {
  const path = field.fieldKind === "list" ? `${field.jsonName}.0` : field.jsonName;
  if (field.message?.typeName === "google.protobuf.Duration") return [[path, "0s"]];
  if (NUMBERS.includes(field.scalar)) return [[path, 0]];
  if (field.message === undefined || field.message.typeName.startsWith("google.")) return [];
  return quantities(field.message, [], around).map(([inner, zero]) => [`${path}.${inner}`, zero]);
}

function withZero(kind: Written, path: string, zero: unknown = 0): Json {
  const whole = WHOLE[kind]();
  const words = path.split(".");
  const last = words.pop() ?? "";
  let at = whole;
  for (const word of words) {
    at[word] ??= {};
    at = at[word] as Json;
  }
  at[last] = zero;
  return whole;
}

function parsed(kind: Written, json: Json) {
  const read = messageFromJson(kind, json);
  return read.ok ? parseObject(kind, read.message) : read;
}

describe.each(KINDS)("of a %s", (kind) => {
  test("the object around the fields is good", () => {
    expect(parsed(kind, WHOLE[kind]())).toMatchObject({ ok: true });
  });

  for (const [path, zero] of quantities(descriptorOf(kind), outputOnly(kind)))
    test(`a written 0 in ${path} counts`, () => {
      const result = parsed(kind, withZero(kind, path, zero));
      if (ZERO_MEANS_ZERO.includes(`${kind} ${path}`)) {
        expect(result).toMatchObject({ ok: true });
      } else {
        const field = path.replaceAll(/\.(\d)/g, "[$1]");
        expect(result).toMatchObject({
          ok: false,
          violations: expect.arrayContaining([expect.objectContaining({ field })]),
        });
      }
    });
});

test("a refused 0 comes with its cure", () => {
  const message = (kind: Written, path: string) => {
    const result = parsed(kind, withZero(kind, path));
    return result.ok ? "" : result.violations.map((violation) => violation.message).join();
  };
  expect(message("backend", "weight")).toBe(
    "must be from 1 to 1000000, not 0; drain a backend that is to get no request, or override its health",
  );
  expect(message("policy", "outlierDetection.maxEjectionPercent")).toContain("`outlierDetection: { disabled: true }`");
  expect(message("policy", "leastRequest.choiceCount")).toContain("leave it out for the default");
});

test("a priority of 0 is stored as it was before it could be told from none", () => {
  const result = parsed("backend", { ...WHOLE.backend(), priority: 0 });
  expect(result.ok && "message" in result && result.message).not.toHaveProperty("priority");
});
