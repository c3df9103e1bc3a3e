import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { AddressMove_Way, Change_Action } from "../../../src/gen/fairlead/admin/v1/apply_pb.ts";
import { WaitForRevisionResponse_Outcome } from "../../../src/gen/fairlead/admin/v1/observe_pb.ts";
import { planeError, runAgainst } from "./fake-plane.ts";

const SHOP = `
kind: Service
name: shop
---
kind: Route
name: shop
listeners: [web]
hosts: [shop.example]
rules:
  - to: [{ service: shop, weight: 20 }]
`;

const changed = () => ({
  revision: "1.8812",
  changes: [
    { kind: "service", name: "shop", action: Change_Action.UNCHANGED },
    {
      kind: "route",
      name: "shop",
      action: Change_Action.UPDATE,
      fields: [{ path: "rules[0].to[0].weight", from: "5", to: "20" }],
    },
  ],
  reach: [{ fleet: "edge", proxies: 12, types: [{ type: "RDS", changed: 1, removed: 0, bytes: 1900n }] }],
});

describe("apply", () => {
  it("sends all objects of the manifest in one request", async () => {
    const run = await runAgainst({ Apply: changed }, ["apply", "-f", "-"], { stdin: SHOP });
    expect(run.code).toBe(0);
    expect(run.calls).toMatchObject([
      {
        method: "Apply",
        request: {
          owner: "default",
          prune: false,
          objects: [
            { object: { case: "service", value: { name: "shop" } } },
            { object: { case: "route", value: { rules: [{ to: [{ service: "shop", weight: 20 }] }] } } },
          ],
        },
      },
    ]);
  });

  it("shows what changed, and where it is in the log", async () => {
    const run = await runAgainst({ Apply: changed }, ["apply", "-f", "-"], { stdin: SHOP });
    expect(run.stdout).toBe(
      ["  ~ route shop        rules[0].to[0].weight 5 → 20", "  1 change, 1 unchanged. Revision 1.8812.", ""].join(
        "\n",
      ),
    );
  });

  it("shows the reach of a dry run and asks for no write", async () => {
    const run = await runAgainst({ Apply: changed }, ["apply", "-f", "-", "--dry-run", "--wait"], { stdin: SHOP });
    expect(run.calls).toMatchObject([{ method: "Apply", request: { options: { validateOnly: true } } }]);
    expect(run.stdout).toContain("Reaches 12 proxies of fleet edge: 1 route configuration; 1.9 KB each.");
  });

  it("says in a dry run how addresses pass from one listener to another", async () => {
    const addressMoves = [
      { address: "127.0.0.1:10020", from: "z1", to: "a2", way: AddressMove_Way.IN_TURN },
      { address: "127.0.0.1:10021", from: "old", to: "web", way: AddressMove_Way.AFTER_DELETION },
      { address: "127.0.0.1:10022", from: "b", to: "c", way: AddressMove_Way.CLOSED_FIRST },
    ];
    const answer = () => ({ ...changed(), reach: [{ fleet: "edge", proxies: 1, types: [], addressMoves }] });
    const run = await runAgainst({ Apply: answer }, ["apply", "-f", "-", "--dry-run"], { stdin: SHOP });
    expect(run.stdout.split("\n").slice(1, 4)).toEqual([
      "  > 127.0.0.1:10020   z1 releases it before a2 takes it",
      "  > 127.0.0.1:10021   old is removed and web takes it at once: a few milliseconds without a listener",
      "  > 127.0.0.1:10022   listeners swap addresses, for which c is closed and opened again: a few milliseconds without a listener",
    ]);
  });

  it("marks what the change leaves wrong, and asks for an error with --strict", async () => {
    const condition = { reason: "UnknownService", message: "there is no service cart" };
    const wrong = () => ({ ...changed(), conditions: [{ kind: "route", name: "shop", condition }] });
    const run = await runAgainst({ Apply: wrong }, ["apply", "-f", "-", "--dry-run"], { stdin: SHOP });
    expect(run.stdout).toContain("  ! route shop        UnknownService: there is no service cart\n");
    const refuse = () => {
      throw planeError(status.FAILED_PRECONDITION, "CREATES_CONDITIONS", "no", {
        "objects[1]": "UnknownService: there is no service cart",
        "listener web": "UnknownFleet: there is no fleet edge",
      });
    };
    const strict = await runAgainst({ Apply: refuse }, ["apply", "-f", "-", "--strict"], { stdin: SHOP });
    expect(strict.calls).toMatchObject([{ request: { strict: true } }]);
    expect(strict).toMatchObject({
      code: 1,
      stderr: [
        "standard input:5:1                 UnknownService: there is no service cart",
        "refused             listener web   UnknownFleet: there is no fleet edge",
        "nothing was changed",
        "Fix that, or repeat without --strict.",
        "",
      ].join("\n"),
    });
  });

  it("leaves objects with their owners unless it is given one", async () => {
    const ownersOf = async (...flags: readonly string[]) =>
      (await runAgainst({ Apply: changed }, ["apply", "-f", "-", ...flags], { stdin: SHOP })).calls[0]?.request;
    expect(await ownersOf()).toMatchObject({ owner: "default", keepOwners: true });
    expect(await ownersOf("--owner", "default")).toMatchObject({ owner: "default", keepOwners: false });
  });

  it("sends nothing when a field is unknown, and says where it is", async () => {
    const typo = "kind: Route\nname: shop\nrules:\n  - match:\n      path: { prefx: /api }\n";
    const run = await runAgainst({}, ["apply", "-f", "-"], { stdin: typo });
    expect(run.code).toBe(1);
    expect(run.calls).toEqual([]);
    expect(run.stderr).toContain("standard input:5:15  rules[0].match.path.prefx");
    expect(run.stderr).toContain('did you mean "prefix"?');
    expect(run.stderr).toContain("nothing was changed");
  });

  it("leads what the plane objects to back to the line in the manifest", async () => {
    const refuse = () => {
      throw planeError(status.INVALID_ARGUMENT, "OBJECT_INVALID", "bad", {
        "objects[1].rules[0].to[0].weight": "too much",
      });
    };
    const run = await runAgainst({ Apply: refuse }, ["apply", "-f", "-"], { stdin: SHOP });
    expect(run.code).toBe(1);
    expect(run.stderr).toBe("standard input:10:27  rules[0].to[0].weight   too much\nnothing was changed\n");
  });

  it("refuses an empty manifest, unless it prunes", async () => {
    const without = await runAgainst({}, ["apply", "-f", "-"], { stdin: "# nothing\n" });
    expect(without.code).toBe(1);
    const pruning = await runAgainst({ Apply: () => ({}) }, ["apply", "-f", "-", "--prune"], { stdin: "" });
    expect(pruning.code).toBe(0);
    expect(pruning.calls).toMatchObject([{ request: { prune: true, owner: "default", objects: [] } }]);
  });
});

describe("apply --wait", () => {
  const applyAndWait = (outcome: number, pending: readonly object[] = []) =>
    runAgainst(
      {
        Apply: changed,
        WaitForRevision: () => [
          { outcome: WaitForRevisionResponse_Outcome.WAITING, total: 12, done: 3 },
          { outcome, total: 12, done: 12 - pending.length, pending, elapsed: { nanos: 63_000_000 } },
        ],
      },
      ["apply", "-f", "-", "--wait", "--timeout", "5s"],
      { stdin: SHOP },
    );

  it("waits for the revision that the apply made", async () => {
    const run = await applyAndWait(WaitForRevisionResponse_Outcome.REACHED);
    expect(run.code).toBe(0);
    expect(run.calls[1]).toMatchObject({
      method: "WaitForRevision",
      request: { revision: "1.8812", timeout: { seconds: 5n } },
    });
    expect(run.stdout).toContain("  acknowledged by 12 of 12 proxies in 63 ms\n");
  });

  it("exits with 3 when proxies do not acknowledge in time, and names them", async () => {
    const run = await applyAndWait(WaitForRevisionResponse_Outcome.TIMED_OUT, [{ id: "edge-7", state: "sent" }]);
    expect(run.code).toBe(3);
    expect(run.stderr).toContain("edge-7: sent");
  });

  it("exits with 1 when a proxy refuses, with what Envoy said", async () => {
    const message = "cannot bind '0.0.0.0:10000': Address already in use";
    const run = await applyAndWait(WaitForRevisionResponse_Outcome.REFUSED, [
      { id: "edge-7", state: "refused", message },
    ]);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain(`edge-7: refused, ${message}`);
  });

  it("exits with 3 when the plane goes away while it waits", async () => {
    const gone = () => {
      throw planeError(status.UNAVAILABLE, "", "cannot reach the plane");
    };
    const run = await runAgainst({ Apply: changed, WaitForRevision: gone }, ["apply", "-f", "-", "--wait"], {
      stdin: SHOP,
    });
    expect(run.code).toBe(3);
  });

  describe("that finds all as given", () => {
    const repeat = (answer: object, ...more: string[]) => {
      const WaitForRevision = () => [{ outcome: WaitForRevisionResponse_Outcome.TIMED_OUT, total: 1 }];
      const Apply = () => ({ revision: "", ...answer });
      return runAgainst({ Apply, WaitForRevision }, ["apply", "-f", "-", "--wait", ...more], { stdin: SHOP });
    };
    const awaited = ({ calls }: { calls: readonly { method: string; request: unknown }[] }) =>
      calls.flatMap(({ method, request }) => (method === "WaitForRevision" ? [request] : []));

    it("waits for what an earlier one wrote", async () => {
      const run = await repeat({ presentRevision: "1.8810" });
      expect(run.code).toBe(3);
      expect(awaited(run)).toMatchObject([{ revision: "1.8810" }]);
    });

    it("waits for all that was written until now, where the earlier one may have pruned", async () => {
      const run = await repeat({}, "--prune");
      expect(run.code).toBe(3);
      expect(awaited(run)).toMatchObject([{ revision: "" }]);
    });

    it("waits for nothing in a dry run", async () => {
      const run = await repeat({ presentRevision: "1.8810" }, "--dry-run");
      expect([run.code, awaited(run)]).toEqual([0, []]);
    });
  });

  it("waits for the proxies that are named, or for so many, and lists those that it skipped", async () => {
    const { REACHED } = WaitForRevisionResponse_Outcome;
    const argv = ["apply", "-f", "-", "--wait", "--nodes", "edge-1", "edge-2", "--at-least", "2"];
    const WaitForRevision = () => [{ outcome: REACHED, total: 2, done: 2, skipped: ["edge-7"] }];
    const run = await runAgainst({ Apply: changed, WaitForRevision }, argv, { stdin: SHOP });
    expect(run.calls[1]).toMatchObject({ request: { nodes: ["edge-1", "edge-2"], atLeast: 2 } });
    expect(run.stdout).toContain("  acknowledged by 2 of 2 proxies\n  edge-7: disconnected, not waited for\n");
  });
});
