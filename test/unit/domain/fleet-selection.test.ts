import { describe, expect, it } from "vitest";
import type { Fleet } from "../../../src/domain/fleet.ts";
import { selectFleet } from "../../../src/domain/fleet-selection.ts";

function fleet(name: string, nodes: Partial<Fleet["nodes"]> = {}, createdAt = 0): Fleet {
  const meta = {
    uid: name,
    generation: 1,
    version: "1.1",
    labels: {},
    annotations: {},
    owner: "",
    createdAt,
    updatedAt: createdAt,
    requestId: "",
  };
  return {
    name,
    meta,
    nodes: { cluster: undefined, metadata: {}, ...nodes },
    backendNetworks: [],
    expected: undefined,
    forgetAfterMs: 3_600_000,
    profile: 1,
  };
}

function chosen(node: { cluster: string; metadata?: Record<string, string> }, ...fleets: Fleet[]): string {
  const selection = selectFleet({ metadata: {}, ...node }, fleets);
  return "fleet" in selection ? selection.fleet.name : selection.reason;
}

describe("selectFleet", () => {
  it("takes the fleet that has the name of the node's cluster when it has no selector", () => {
    expect(chosen({ cluster: "edge" }, fleet("inner"), fleet("edge"))).toBe("edge");
  });

  it("takes a fleet by its selector only, when it has one", () => {
    expect(chosen({ cluster: "edge" }, fleet("edge", { cluster: "other" }))).toContain("no fleet");
    expect(chosen({ cluster: "other" }, fleet("edge", { cluster: "other" }))).toBe("edge");
  });

  it("wants all that a selector gives", () => {
    const strict = fleet("strict", { cluster: "edge", metadata: { stage: "prod" } });
    expect(chosen({ cluster: "edge" }, strict)).toContain("no fleet");
    expect(chosen({ cluster: "edge", metadata: { stage: "prod", more: "x" } }, strict)).toBe("strict");
  });

  it("gives a node that several fleets select to the oldest", () => {
    expect(chosen({ cluster: "edge" }, fleet("edge", {}, 2), fleet("old", { cluster: "edge" }, 1))).toBe("old");
  });

  it("says what the node presented when no fleet selects it", () => {
    expect(chosen({ cluster: "" }, fleet("edge"))).toContain("node.cluster is empty");
  });
});
