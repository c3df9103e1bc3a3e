import { expect, test } from "vitest";
import { Nonces } from "../../../../src/xds/protocol/nonces.ts";

function spend(nonces: Nonces, sequence: number): string {
  const nonce = nonces.next(sequence);
  nonces.spend();
  return nonce;
}

test("the first response after a publication has a nonce that streams share, any other one of its own", () => {
  const one = new Nonces({ own: "one-", shared: "server-" });
  const other = new Nonces({ own: "other-", shared: "server-" });
  expect([spend(one, 1), spend(other, 1)]).toEqual(["one-1", "other-1"]);
  for (const nonces of [one, other]) nonces.published(7);
  expect(spend(one, 2)).toBe(spend(other, 2));
  expect([spend(one, 3), spend(other, 3)]).toEqual(["one-3", "other-3"]);
});

test("what has not left spends nothing", () => {
  const nonces = new Nonces({ own: "one-", shared: "server-" });
  nonces.published(7);
  expect(nonces.next(1)).toBe(nonces.next(1));
});
