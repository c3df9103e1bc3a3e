import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Target, targetText } from "../../../src/domain/backend.ts";
import { backendJudge, ORDINARY_NETWORKS, readBackendNetwork } from "../../../src/domain/backend-networks.ts";
import { readIp } from "../../../src/domain/ip-address.ts";

const ip = fc.oneof(
  fc.ipV4(),
  fc.ipV6().map((text) => readIp(text)?.toString() ?? ""),
  fc.constantFrom("127.0.0.1", "::1", "0.0.0.0", "169.254.169.254", "fe80::1", "255.255.255.255", "64:ff9b::7f00:1"),
);
const port = fc.constantFrom(80, 18001);
const address: fc.Arbitrary<Target> = fc.record({ kind: fc.constant("address"), ip, port });
const target: fc.Arbitrary<Target> = fc.oneof(
  { weight: 4, arbitrary: address },
  fc.string().map((path) => ({ kind: "pipe", path: `/${path}` }) as const),
);
const text = fc.oneof(
  fc.tuple(ip, fc.nat(128)).map(([base, bits]) => `${base}/${bits}`),
  fc.constantFrom("0.0.0.0/0", "::/0", "127.0.0.0/8", "10.0.0.0/8", "/", "/run/"),
  fc.string(),
);
const networks = fc
  .array(text, { maxLength: 5 })
  .map((texts) => texts.map(readBackendNetwork).flatMap((read) => (read.ok ? [read.text] : [])));
const planes = fc.array(fc.record({ ip, port }), { maxLength: 3 });

test("a network that is read has one spelling, and reads as itself", () => {
  fc.assert(
    fc.property(text, (given) => {
      const read = readBackendNetwork(given);
      fc.pre(read.ok);
      expect(read.ok && readBackendNetwork(read.text)).toEqual(read);
    }),
  );
});

test("naming more leaves out no more, as long as something is named", () => {
  fc.assert(
    fc.property(networks, networks, planes, target, (some, more, where, one) => {
      fc.pre(some.length > 0 && backendJudge(some, where)(one) === undefined);
      expect(backendJudge([...some, ...more], where)(one)).toBeUndefined();
    }),
  );
});

test("naming all ordinary addresses is naming nothing; and naming one address by itself takes it in, whatever it is", () => {
  fc.assert(
    fc.property(planes, address, (where, one) => {
      expect(backendJudge(ORDINARY_NETWORKS, where)(one)).toEqual(backendJudge([], where)(one));
      const itself = readBackendNetwork(targetText(one));
      expect(itself.ok && backendJudge([itself.text], where)(one)).toBeUndefined();
    }),
  );
});

test("an IPv4 address is judged the same when it is written as IPv6", () => {
  fc.assert(
    fc.property(networks, planes, fc.ipV4(), port, (some, where, plain, atPort) => {
      const judge = backendJudge(some, where);
      const mapped = judge({ kind: "address", ip: `::ffff:${plain}`, port: atPort });
      expect(mapped === undefined).toBe(judge({ kind: "address", ip: plain, port: atPort }) === undefined);
    }),
  );
});
