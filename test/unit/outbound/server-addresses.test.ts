import type { LookupFunction } from "node:net";
import { expect, it } from "vitest";
import { followServers } from "../../../src/outbound/server-addresses.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** What each name leads to; a name that is not here cannot be looked up. */
let names: Readonly<Record<string, readonly string[]>> = {};
const lookup: LookupFunction = (host, _options, callback) => {
  const found = names[host];
  if (found === undefined) callback(new Error("ENOTFOUND"), []);
  else
    callback(
      null,
      found.map((address) => ({ address, family: 4 })),
    );
};

it("follows names, keeps what it knew while they lead nowhere, and says of which it knows nothing yet", async () => {
  const clock = new FakeClock();
  const servers = [
    { host: "10.0.0.9", port: 4222 },
    { host: "n1", port: 4222 },
    { host: "n2", port: 4223 },
  ];
  names = { n1: ["10.0.0.1", "10.0.0.2"] };
  const addresses = followServers(() => servers, lookup, clock);
  const given = { ip: "10.0.0.9", port: 4222 };
  const n1 = ["10.0.0.1", "10.0.0.2"].map((ip) => ({ ip, port: 4222 }));
  expect([...addresses.list()]).toEqual([given, ...n1, { port: 4223 }]);

  names = { n2: ["10.0.0.3"] };
  servers.push({ host: "n3", port: 4224 });
  await clock.advance(30_000);
  expect([...addresses.list()]).toEqual([given, ...n1, { ip: "10.0.0.3", port: 4223 }, { port: 4224 }]);

  names = { n1: ["10.0.0.4"], n3: ["10.0.0.5"] };
  await clock.advance(30_000);
  expect([...addresses.list()].map(({ ip }) => ip)).toEqual(["10.0.0.9", "10.0.0.4", "10.0.0.3", "10.0.0.5"]);

  addresses.stop();
  names = { n1: ["10.0.0.6"] };
  await clock.advance(60_000);
  expect([...addresses.list()][1]?.ip).toBe("10.0.0.4");
});
