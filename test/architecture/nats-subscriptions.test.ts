import { expect, test } from "vitest";
import { readSources } from "./source-file.ts";

/** The first is the boundary; the second tries whether it may subscribe, and listens to nothing. */
const ALLOWED = ["src/nats/listen.ts", "src/nats/permissions.ts"];

test("whoever subscribes on NATS does it behind the boundary: what a callback throws would end the connection's reader", () => {
  const subscribing = readSources().filter(({ text }) => /\bconnection\.subscribe\(/.test(text));
  expect(subscribing.map(({ path }) => path).toSorted()).toEqual(ALLOWED);
});
