import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type HeldAccount, HeldBytes } from "../../../../src/xds/server/held-bytes.ts";

const LIMITS = { maxHeldBytesPerConnection: 1000, maxHeldBytes: 2500 };

/** Accounts of one connection each, and which of them were refused. */
function accountsOf(count: number, limits = LIMITS) {
  const held = new HeldBytes(limits);
  const refused: string[] = [];
  const open = (name: string, connection: object = {}) => {
    return held.open(connection, { refuse: ({ message }) => void refused.push(`${name}: ${message}`) });
  };
  return { held, refused, open, accounts: Array.from({ length: count }, (_, index) => open(String(index))) };
}

describe("bytes that clients make the server hold", () => {
  it("are bounded for one connection: the stream that asks for more is refused", () => {
    const { open, refused, held } = accountsOf(0);
    const connection = {};
    const [first, second] = [open("first", connection), open("second", connection)];
    first.set("names", 700);
    second.set("request", 400);
    expect(refused).toEqual([
      "second: this connection makes the server hold 1,100 bytes; at most 1,000 (XdsLimits.maxHeldBytesPerConnection)",
    ]);
    expect(held.total).toBe(700);
    first.set("names", 100);
    expect(held.total).toBe(100);
  });

  it("are bounded for all: the stream that holds most is refused, whoever asks for more", () => {
    const { accounts, open, refused, held } = accountsOf(3);
    for (const [index, account] of accounts.entries()) account.set("names", 900 - index * 100);
    const last = open("last");
    last.set("names", 200);
    expect(refused).toEqual([
      "0: all clients together make the server hold 2,600 bytes, and this one the most; at most 2,500 (XdsLimits.maxHeldBytes)",
    ]);
    expect(held.total).toBe(1700);
  });

  it("count once what several streams hold together, as long as one of them holds it", () => {
    const { accounts, refused, held } = accountsOf(10);
    const names = new Set(["a"]);
    for (const account of accounts) account.share(names, 800);
    expect(held.total).toBe(800);
    for (const account of accounts.slice(1)) account.unshare(names);
    expect(held.total).toBe(800);
    accounts[0]?.close();
    expect(held.total).toBe(0);
    expect(refused).toEqual([]);
  });

  it("weigh less where they are shared: a fleet with the same names is not taken for the heaviest", () => {
    const { accounts, open, refused } = accountsOf(10);
    const names = new Set(["a"]);
    for (const account of accounts) account.share(names, 900);
    open("heavy").set("names", 800);
    open("last").set("names", 850);
    expect(refused.map((line) => line.split(":")[0])).toEqual(["last"]);
  });

  it("are nothing once all accounts are closed, whatever was done before", () => {
    const things = [{}, {}, {}];
    const step = fc.record({
      account: fc.nat(3),
      what: fc.constantFrom("names", "request", "share", "unshare", "close"),
      thing: fc.nat(2),
      bytes: fc.nat(600),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { accounts, held } = accountsOf(4);
        for (const { account: at, what, thing: index, bytes } of steps) {
          const account = accounts[at] as HeldAccount;
          const thing = things[index] as object;
          if (what === "share") account.share(thing, 100 * (index + 1));
          else if (what === "unshare") account.unshare(thing);
          else if (what === "close") account.close();
          else account.set(what, bytes);
          expect(held.total).toBeGreaterThanOrEqual(0);
          expect(held.total).toBeLessThanOrEqual(LIMITS.maxHeldBytes);
        }
        for (const account of accounts) account.close();
        expect(held.total).toBe(0);
      }),
    );
  });
});
