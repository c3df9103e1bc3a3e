import { describe, expect, it } from "vitest";
import type { Target } from "../../../src/domain/backend.ts";
import { backendJudge, readBackendNetwork } from "../../../src/domain/backend-networks.ts";

const at = (ip: string, port = 80): Target => ({ kind: "address", ip, port });
const pipe = (path: string): Target => ({ kind: "pipe", path });
const judge = (networks: readonly string[], target: Target) => backendJudge(networks, [])(target);

describe("the judge of a fleet that names no networks", () => {
  it.each(["10.0.0.1", "192.168.1.1", "8.8.8.8", "100.64.0.1", "2001:db8::1", "fd00::1"])("takes %s", (ip) => {
    expect(judge([], at(ip))).toBeUndefined();
  });

  it.each([
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["::1", "loopback"],
    ["::ffff:7f00:1", "loopback"],
    ["::ffff:a9fe:a9fe", "metadata"],
    ["0.0.0.0", "unspecified"],
    ["0.0.0.1", "unspecified"],
    ["::", "unspecified"],
    ["169.254.1.1", "link-local"],
    ["fe80::1", "link-local"],
    ["febf::1", "link-local"],
    ["169.254.169.254", "metadata"],
    ["100.100.100.200", "metadata"],
    ["fd00:ec2::254", "metadata"],
    ["224.0.0.1", "multicast"],
    ["ff02::1", "multicast"],
    ["255.255.255.255", "broadcast"],
    ["64:ff9b::7f00:1", "a way to 127.0.0.1, loopback"],
    ["2002:a9fe:a9fe::1", "a way to 169.254.169.254"],
    ["::7f00:1", "a way to 127.0.0.1, loopback"],
  ])("leaves out %s, which is %s", (ip, what) => {
    expect(judge([], at(ip))).toMatch(new RegExp(`^${ip} is .*${what}.* and not among backendNetworks$`));
  });

  it("leaves out Unix sockets, and where planes listen, whichever way that is written", () => {
    expect(judge([], pipe("/run/app.sock"))).toContain("a Unix socket of the proxy's machine");
    const planes = [
      { ip: "10.0.0.5", port: 18001 },
      { ip: "127.0.0.1", port: 18001 },
    ];
    const ofPlanes = backendJudge([], planes);
    expect(ofPlanes(at("10.0.0.5", 18001))).toContain("a plane listens on 10.0.0.5:18001");
    expect(ofPlanes(at("10.0.0.5", 80))).toBeUndefined();
    expect(ofPlanes(at("10.0.0.6", 18001))).toBeUndefined();
    expect(ofPlanes(at("64:ff9b::a00:5", 18001))).toContain("a plane listens");
    const local = backendJudge(["127.0.0.0/8", "::1/128", "10.0.0.0/8"], planes);
    for (const ip of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:7f00:1", "10.0.0.5"])
      expect(local(at(ip, 18001))).toContain("a plane listens");
    expect(local(at("127.0.0.1", 80))).toBeUndefined();
    expect(backendJudge(["10.0.0.5/32"], planes)(at("10.0.0.5", 18001))).toContain("a plane listens");
    expect(backendJudge(["10.0.0.5:18001"], planes)(at("10.0.0.5", 18001))).toBeUndefined();
  });
});

describe("the judge of a fleet that names networks", () => {
  it.each<[string, string[], Target, boolean]>([
    ["what they name", ["10.0.0.0/8"], at("10.200.0.1"), true],
    ["nothing else", ["10.0.0.0/8"], at("192.168.0.1"), false],
    ["nothing of the other family", ["0.0.0.0/0"], at("2001:db8::1"), false],
    ["loopback that is named", ["127.0.0.0/8"], at("127.0.0.1"), true],
    ["a part of it", ["127.0.0.2/32"], at("127.0.0.1"), false],
    ["loopback that all addresses would name", ["0.0.0.0/0", "::/0"], at("127.0.0.1"), false],
    ["an address in IPv6 form", ["127.0.0.0/8"], at("::ffff:7f00:1"), true],
    ["one address and port", ["127.0.0.1:80"], at("127.0.0.1"), true],
    ["another port of it", ["127.0.0.1:81"], at("127.0.0.1"), false],
    ["the same written as IPv6", ["127.0.0.1:80"], at("::ffff:7f00:1"), true],
    ["link-local that is named", ["169.254.0.0/16"], at("169.254.7.7"), true],
    ["a metadata service within it", ["169.254.0.0/16"], at("169.254.169.254"), false],
    ["one that is named", ["169.254.169.254/32"], at("169.254.169.254"), true],
    ["a translated address that is named", ["64:ff9b::/96"], at("64:ff9b::7f00:1"), false],
    ["a socket", ["0.0.0.0/0", "::/0"], pipe("/run/a.sock"), false],
    ["a socket that is named", ["/run/a.sock"], pipe("/run/a.sock"), true],
    ["its neighbour", ["/run/a.sock"], pipe("/run/a.sock2"), false],
    ["a socket below a directory", ["/run/app/"], pipe("/run/app/x/a.sock"), true],
    ["one that only seems to be below", ["/run/app/"], pipe("/run/app/../docker.sock"), false],
    ["one with an empty part", ["/run/app/"], pipe("/run/app//a.sock"), false],
    ["all sockets", ["/"], pipe("/run/a.sock"), true],
    ["an address where only sockets are named", ["/"], at("10.0.0.1"), false],
  ])("%s: %j and %j is inside: %j", (_, networks, target, inside) => {
    expect(judge(networks, target) === undefined).toBe(inside);
  });
});

describe("readBackendNetwork", () => {
  it.each([
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["2001:DB8:0::/32", "2001:db8::/32"],
    ["::1/128", "::1/128"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["10.0.0.5:9001", "10.0.0.5:9001"],
    ["[2001:DB8::1]:80", "[2001:db8::1]:80"],
    ["[::ffff:10.0.0.5]:80", "10.0.0.5:80"],
    ["/run/app/", "/run/app/"],
    ["/", "/"],
  ])("spells %s as %s", (text, spelling) => {
    expect(readBackendNetwork(text)).toMatchObject({ ok: true, text: spelling });
  });

  it.each([
    ["10.0.0.1", "must be a network such as"],
    ["10.0.0.1:0", "a port from 1 to 65535"],
    ["10.0.0.1:65536", "a port from 1 to 65535"],
    ["10.0.1:80", "must be an IP literal"],
    ["[1]:80", "must be an IP literal"],
    ["plane:80", "must be a network"],
    ["10.0.0.1/8", "must begin where the network does, 10.0.0.0/8"],
    ["2001:db8::1/32", "the network does, 2001:db8::/32"],
    ["10.0.0.0/33", "must be a network"],
    ["010.0.0.0/8", "must be a network"],
    ["10.0/8", "must be a network"],
    ["0x7f.0.0.0/8", "must be a network"],
    ["fe80::%eth0/64", "must be a network"],
    ["::ffff:10.0.0.0/104", "must not carry IPv4 addresses"],
    ["loopback", "must be a network"],
    ["", "must be a network"],
    ["run/app/", "must be a network"],
    ["/run/../app/", "must be a path without empty parts"],
    ["/run//app", "must be a path without empty parts"],
    [`/${"a".repeat(107)}`, "at most 107 bytes"],
    ["/a\0b", "none of them zero"],
  ])("refuses %j", (text, message) => {
    expect(readBackendNetwork(text)).toMatchObject({ ok: false, message: expect.stringContaining(message) });
  });
});
