import * as fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import { readNetwork } from "../../../src/domain/ip-network.ts";
import { judgeAddress, type OutboundRules, type Purpose } from "../../../src/outbound/judge.ts";

const ADMIN = 18_001;
const STORE = 4222;
const OWN_ADDRESS = "10.0.0.5";

function rules(more: Partial<OutboundRules> = {}): OutboundRules {
  return {
    listensOnLoopbackOnly: false,
    networks: [],
    isLocal: (ip) => ip.toString() === OWN_ADDRESS || ip.range() === "loopback",
    ports: [
      { what: "the plane's own admin port", ip: "0.0.0.0", port: ADMIN },
      { what: "a server of the plane's store", ip: "10.9.0.1", port: STORE },
    ],
    ...more,
  };
}

const everything = ["0.0.0.0/0", "::/0"].map((text) => {
  const read = readNetwork(text);
  if ("problem" in read) throw new Error(read.problem);
  return read.network;
});

/** The ways in which an IPv6 address carries an IPv4 one, written down apart from the code that reads them. */
const FORMS: Readonly<Record<string, (v4: string) => string>> = {
  itself: (v4) => v4,
  mapped: (v4) => `::ffff:${v4}`,
  "mapped, in words": (v4) => `::ffff:${words(v4)}`,
  compatible: (v4) => `::${words(v4)}`,
  translated: (v4) => `::ffff:0:${words(v4)}`,
  NAT64: (v4) => `64:ff9b::${words(v4)}`,
  "NAT64 of one's own": (v4) => `64:ff9b:1::${words(v4)}`,
  "6to4": (v4) => `2002:${words(v4)}::1`,
  Teredo: (v4) => `2001:0:102:304:8000:ffff:${words(flipped(v4))}`,
  ISATAP: (v4) => `2001:db8::200:5efe:${words(v4)}`,
};

function words(v4: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = v4.split(".").map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

function flipped(v4: string): string {
  return v4
    .split(".")
    .map((byte) => 255 - Number(byte))
    .join(".");
}

/** Written as compatible IPv6 these two are `::` and `::1`, which carry nothing. */
const CARRIED_BY_NONE = ["0.0.0.0", "0.0.0.1"];
const v4 = fc.ipV4().filter((text) => !CARRIED_BY_NONE.includes(text));
const port = fc.integer({ min: 1, max: 65_535 });
const form = fc.constantFrom(...Object.keys(FORMS));
const purpose = fc.constantFrom<Purpose>("check", "other");
/** From the most closed to the most open. */
const openness = fc.constantFrom(rules(), rules({ networks: everything }), rules({ listensOnLoopbackOnly: true }));

function v4In(network: string): fc.Arbitrary<string> {
  const [base, bits] = ipaddr.IPv4.parseCIDR(network);
  const first = base.toByteArray().reduce((sum, byte) => sum * 256 + byte, 0);
  const all = fc.nat(2 ** (32 - bits) - 1).map((offset) => {
    const number = first + offset;
    return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
  });
  return all.filter((text) => !CARRIED_BY_NONE.includes(text));
}

describe("law 18, no way in through ourselves", () => {
  it("an address that carries an IPv4 address is judged as that one", () => {
    fc.assert(
      fc.property(v4, port, purpose, openness, form, (ip, to, why, by, how) => {
        const carried = FORMS[how]?.(ip) ?? "";
        const plain = judgeAddress({ ip, port: to }, why, by);
        expect(judgeAddress({ ip: carried, port: to }, why, by) === undefined).toBe(plain === undefined);
      }),
    );
  });

  const never = ["0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32", "100.100.100.200/32"].map(v4In);
  const neverV6 = fc.constantFrom(
    "::",
    "fe80::1",
    "febf::1",
    "ff02::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1%eth0",
  );

  it("nothing opens link-local and metadata addresses, nor those of no machine or of many", () => {
    const targets = fc.oneof(
      neverV6,
      fc.tuple(fc.oneof(...never), form).map(([ip, how]) => FORMS[how]?.(ip) ?? ""),
    );
    fc.assert(
      fc.property(targets, port, purpose, openness, (ip, to, why, by) => {
        expect(judgeAddress({ ip, port: to }, why, by)).toContain(ip);
      }),
    );
  });

  it("nothing opens the plane's own ports on its machine, whatever the address is that leads there", () => {
    const here = fc
      .oneof(v4In("127.0.0.0/8"), fc.constant(OWN_ADDRESS))
      .chain((ip) => form.map((how) => FORMS[how]?.(ip)));
    fc.assert(
      fc.property(fc.oneof(here, fc.constant("::1")), purpose, openness, (ip = "", why, by) => {
        expect(judgeAddress({ ip, port: ADMIN }, why, by)).toMatch(/is the plane's own admin port$/);
      }),
    );
  });

  it("a port of the plane's on another machine is a port like any other", () => {
    expect(judgeAddress({ ip: "10.0.0.6", port: ADMIN }, "check", rules())).toBeUndefined();
    expect(judgeAddress({ ip: OWN_ADDRESS, port: ADMIN + 1 }, "check", rules())).toBeUndefined();
  });

  it("nothing opens the store, on any address of its machine where that is this one", () => {
    fc.assert(
      fc.property(form, purpose, openness, (how, why, by) => {
        const ip = FORMS[how]?.("10.9.0.1") ?? "";
        expect(judgeAddress({ ip, port: STORE }, why, by)).toMatch(/is a server of the plane's store$/);
      }),
    );
    const besides = rules({
      listensOnLoopbackOnly: true,
      ports: [{ what: "the store", ip: "127.0.0.1", port: STORE }],
    });
    expect(judgeAddress({ ip: OWN_ADDRESS, port: STORE }, "check", besides)).toBe(
      `${OWN_ADDRESS}:${STORE} is the store`,
    );
    expect(judgeAddress({ ip: "10.0.0.6", port: STORE }, "check", besides)).toBeUndefined();
  });

  it("while the address of a server is not known, its port is closed everywhere", () => {
    const unknown = rules({ listensOnLoopbackOnly: true, ports: [{ what: "the store", port: STORE }] });
    expect(judgeAddress({ ip: "203.0.113.9", port: STORE }, "check", unknown)).toContain("may be the store");
    expect(judgeAddress({ ip: "203.0.113.9", port: STORE + 1 }, "check", unknown)).toBeUndefined();
  });

  it("private networks are open for checks; for all else, and loopback, only where the plane or its settings say so", () => {
    const loopback = fc.oneof(v4In("127.0.0.0/8"), fc.constant("::1"));
    const inside = fc.oneof(...["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map(v4In), fc.constant("fd12::1"));
    fc.assert(
      fc.property(loopback, inside, fc.integer({ min: 20_000, max: 60_000 }), purpose, (near, ip, to, why) => {
        const judge = (address: string, by: OutboundRules) =>
          judgeAddress({ ip: address, port: to }, why, by) === undefined;
        expect(judge(near, rules())).toBe(false);
        expect(judge(ip, rules())).toBe(why === "check");
        for (const by of [rules({ networks: everything }), rules({ listensOnLoopbackOnly: true })]) {
          expect([judge(near, by), judge(ip, by)]).toEqual([true, true]);
        }
      }),
    );
  });

  it("a network opens what is in it, and nothing beside it", () => {
    const read = readNetwork("127.0.0.0/30");
    if ("problem" in read) throw new Error(read.problem);
    const by = rules({ networks: [read.network] });
    expect(judgeAddress({ ip: "::ffff:127.0.0.3", port: 80 }, "check", by)).toBeUndefined();
    expect(judgeAddress({ ip: "127.0.0.4", port: 80 }, "check", by)).toContain("--outbound-networks");
  });

  it.each([
    "",
    "localhost",
    "127.1",
    "0x7f.0.0.1",
    "2130706433",
    "010.0.0.1",
    "1.2.3.4.5",
    "10.0.0.256",
    ":::",
    "[::1]",
  ])("what only some take for an address is refused: %s", (ip) => {
    expect(judgeAddress({ ip, port: 80 }, "check", rules({ listensOnLoopbackOnly: true }))).toContain("is not an IP");
  });
});
