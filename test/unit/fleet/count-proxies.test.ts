import { expect, test } from "vitest";
import { countProxies } from "../../../src/fleet/count-proxies.ts";

test("counts each proxy once in each of its states, whatever its streams, and fleets without any; how many are expected only where it was said", () => {
  const counts = countProxies(
    new Map([
      ["edge", { expected: 3, gone: 1 }],
      ["idle", { expected: undefined, gone: 0 }],
    ]),
    [
      { id: "edge-1", fleet: "edge", states: ["connected", "lagging"] },
      { id: "edge-1", fleet: "edge", states: ["connected", "refusing"] },
      { id: "edge-2", fleet: "edge", states: ["connected"] },
      { id: "lost", fleet: undefined, states: ["connected"] },
    ],
  );
  expect(counts).toEqual(
    new Map<string, object>([
      ["", { connected: 1, lagging: 0, refusing: 0, gone: 0 }],
      ["edge", { connected: 2, lagging: 1, refusing: 1, expected: 3, gone: 1 }],
      ["idle", { connected: 0, lagging: 0, refusing: 0, gone: 0 }],
    ]),
  );
});
