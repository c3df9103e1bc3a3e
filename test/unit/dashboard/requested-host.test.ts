import { expect, test } from "vitest";
import { hostOf } from "../../../src/dashboard/requested-host.ts";

test.each([
  ["localhost", "localhost"],
  ["LocalHost:18002", "localhost"],
  ["127.0.0.1:18002", "127.0.0.1"],
  ["[::1]:18002", "[::1]"],
  ["[::1]", "[::1]"],
  ["evil.example.:80", "evil.example"],
  ["localhost.evil.example", "localhost.evil.example"],
  ["", ""],
  [undefined, undefined],
])("the host of %j is %j", (header, host) => {
  expect(hostOf(header)).toBe(host);
});
