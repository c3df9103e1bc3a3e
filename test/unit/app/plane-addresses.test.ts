import { expect, it } from "vitest";
import { parseAddress } from "../../../src/app/address.ts";
import { planeAddresses } from "../../../src/app/plane-addresses.ts";

const INTERFACES = ["127.0.0.1", "10.0.0.5", "::1", "2001:db8::5"];

it.each([
  ["127.0.0.1:18000", ["127.0.0.1 18000"]],
  ["[2001:db8::5]:1", ["2001:db8::5 1"]],
  ["localhost:2", ["127.0.0.1 2", "::1 2"]],
  ["0.0.0.0:3", ["127.0.0.1 3", "10.0.0.5 3"]],
  ["[::]:4", ["127.0.0.1 4", "10.0.0.5 4", "::1 4", "2001:db8::5 4"]],
])("a plane on %s is reached at %j", (bound, reached) => {
  expect(
    planeAddresses(
      [parseAddress(bound)].flatMap((address) => address ?? []),
      INTERFACES,
    ).map(({ ip, port }) => `${ip} ${port}`),
  ).toEqual(reached);
});
