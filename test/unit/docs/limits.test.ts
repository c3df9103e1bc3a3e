import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AnyObjectSchema } from "../../../src/gen/fairlead/admin/v1/apply_pb.ts";
import { Listener_Protocol } from "../../../src/gen/fairlead/admin/v1/listener_pb.ts";
import { descriptorOf } from "../../../src/schema/object-message.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/limits.md"), "utf8");

/**
 * What the page says is not there, and the fields, by any of these names, that somebody will add when it comes. Then the page
 * has to say something else.
 */
const ABSENT: readonly [row: string, message: string, fields: RegExp][] = [
  ["TLS on listeners", "listener", /tls|certificate/i],
  ["TLS towards backends", "service", /^(?:tls|upstreamTls)/i],
  ["TCP, UDP and TLS pass-through listeners", "listener", /^(?:sni|serverNames|tcp|udp)/i],
  ["HTTP/3", "listener", /http3|quic/i],
  [
    "Redirects, fixed answers, error pages, changing headers, CORS",
    "rule",
    /redirect|respond|errorPages|^headers$|cors/i,
  ],
  ["Matching query parameters and cookies", "match", /query|cookie/i],
  ["Mirroring, injected faults", "rule", /mirror|fault/i],
  ["subsets of a service", "destination", /where|subset/i],
  ["Rate limits, login", "rule", /filters|rateLimit|jwt/i],
  ["Sticky sessions", "policy", /sticky/i],
  ["Nearest zone first", "policy", /locality/i],
  ["Slow start", "policy", /slowStart/i],
  ["Backends by host name", "backend", /^host/i],
  ["Trying another service", "rule", /fallback/i],
];

test.each(ABSENT)("%s: there is no such field of a %s", (row, message, pattern) => {
  expect(page).toContain(row);
  expect(fieldsOf(message).length).toBeGreaterThan(0);
  expect(fieldsOf(message).filter((name) => pattern.test(name))).toEqual([]);
});

test("listeners have no protocol of which the page says that it is not there", () => {
  expect(Object.keys(Listener_Protocol).filter((name) => /TCP|UDP|TLS|QUIC/.test(name))).toEqual([]);
});

test("no kind of object has come of which the page says that it is not there", () => {
  const kinds = AnyObjectSchema.fields.map(({ name }) => name);
  expect(kinds.filter((kind) => /certificate|issuer|token|grant|filter|scaler|dns|virtual/i.test(kind))).toEqual([]);
});

/** Of a kind of object, or of what a rule of a route is made of. */
function fieldsOf(message: string): string[] {
  const rule = descriptorOf("route").fields.find(({ name }) => name === "rules")?.message;
  const part = (name: string) => rule?.fields.find((field) => field.name === name)?.message;
  const parts = { rule, match: part("match"), destination: part("to") };
  const desc = message in parts ? parts[message as keyof typeof parts] : descriptorOf(message as "service");
  return desc?.fields.map(({ jsonName }) => jsonName) ?? [];
}
