import { expect, it } from "vitest";
import type { ToldNode } from "../../../src/fleet/node-directory.ts";
import { fromNodeList, toNodeList } from "../../../src/fleet/peer-messages.ts";

const HEARD = { replica: "plane-b", at: 90_000 };
const node = (more: Partial<ToldNode>): ToldNode => ({
  id: "edge-1",
  cluster: "edge",
  fleet: undefined,
  silent: "no fleet selects it",
  client: "envoy",
  envoyVersion: "1.40.0",
  variant: "delta",
  connected: true,
  since: 5_000,
  peer: "127.0.0.1:1",
  replica: "plane-b",
  sole: undefined,
  duplicate: false,
  types: [],
  lagMs: 0,
  settled: undefined,
  ...more,
});
const told = (more: Partial<ToldNode>) => fromNodeList(toNodeList([node(more)]), HEARD)[0];

it("a proxy is told to another replica as it is, with since when it gets nothing", () => {
  for (const more of [{ silentSince: 65_000 }, { silentSince: undefined }]) {
    expect(told(more)).toStrictEqual(node(more));
  }
});

it("what is said to begin after it was said began then", () => {
  expect(told({ silentSince: 99_000, since: 99_000 })).toMatchObject({ silentSince: 90_000, since: 90_000 });
});
