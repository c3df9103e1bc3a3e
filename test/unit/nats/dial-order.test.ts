import { expect, it } from "vitest";
import { longestUntried } from "../../../src/nats/dial-order.ts";

it("comes to the server that was left only after all others, each in its turn", () => {
  const pool = ["a", "b", "c"].map((name) => ({ name, lastConnect: 0 }));
  const dialled: (string | undefined)[] = [];
  for (let at = 1; at <= 7; at++) {
    const server = longestUntried(pool);
    if (server !== null) server.lastConnect = at;
    dialled.push(server?.name);
  }
  expect(dialled).toEqual(["a", "b", "c", "a", "b", "c", "a"]);
});

it("begins with the server that the client would have taken, while none was tried", () => {
  expect(
    longestUntried([
      { lastConnect: 0, name: "b" },
      { lastConnect: 0, name: "a" },
    ])?.name,
  ).toBe("b");
  expect(longestUntried([])).toBeNull();
});
