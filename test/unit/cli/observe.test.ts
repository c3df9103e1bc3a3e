import { describe, expect, it } from "vitest";
import { Change_Action as Action } from "../../../src/gen/fairlead/admin/v1/apply_pb.ts";
import { Health_Status } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { NodeType_State } from "../../../src/gen/fairlead/admin/v1/node_pb.ts";
import { WaitForRevisionResponse_Outcome as Outcome } from "../../../src/gen/fairlead/admin/v1/observe_pb.ts";
import { runAgainst } from "./fake-plane.ts";

const hoursAgo = (hours: number) => ({ seconds: BigInt(100_000 - hours * 3600) });
const nowMs = 100_000_000;
const refusal = "cannot bind '0.0.0.0:10000': Address already in use";

const edge7 = {
  id: "edge-7",
  cluster: "edge",
  fleet: "edge",
  envoyVersion: "1.40.0",
  variant: "DELTA",
  connected: true,
  since: hoursAgo(2),
  replica: "plane-a",
  lagMs: 180_000n,
  types: [
    {
      type: "CDS",
      state: NodeType_State.ACKED,
      resources: [{ name: "shop", versionSent: "h1", versionAcknowledged: "h1" }],
    },
    {
      type: "LDS",
      state: NodeType_State.REFUSED,
      resources: [{ name: "web", versionSent: "h2", versionRefused: "h2", refusal }],
    },
  ],
};

describe("status", () => {
  it("says how things are and lists what needs a look", async () => {
    const answer = {
      version: "0.1.0",
      replica: "plane-b",
      revision: "1.8812",
      store: "embedded",
      proxiesConnected: 12,
      proxiesUpToDate: 11,
      proxiesRefusing: 1,
      services: 41,
      servicesWhole: 39,
      servicesDown: 1,
      start: { time: hoursAgo(1), revision: "1.8000", took: { nanos: 300_000_000 }, proxies: 12 },
      problems: [{ what: "node edge-7 refused listener web", since: hoursAgo(3), why: refusal }],
    };
    const run = await runAgainst({ GetStatus: () => answer }, ["status"], { nowMs });
    expect(run.stdout).toContain("12 connected, 11 up to date, 1 refused something");
    expect(run.stdout).toContain("41, 39 whole, 1 DOWN, 1 degraded");
    expect(run.stdout).toContain(
      "started    60 min ago, state restored at revision 1.8000 in 0.3 s; 12 proxies connected to it",
    );
    expect(run.stdout).toContain(`node edge-7 refused listener web  3 h    ${refusal}`);
  });
});

describe("nodes", () => {
  it("shows per type what was acknowledged and refused", async () => {
    const run = await runAgainst({ ListNodes: () => ({ nodes: [edge7] }) }, ["nodes"], { nowMs });
    expect(run.stdout.split("\n")[1]).toBe("edge-7  edge   Envoy 1.40.0  ack  -    REFUSED  -    3 min  2 h    -");
  });

  it("is an array as JSON, also without any proxy", async () => {
    expect((await runAgainst({ ListNodes: () => ({}) }, ["nodes", "-o", "json"])).stdout).toBe("[]\n");
  });
});

describe("node", () => {
  it("shows each resource, with what Envoy said of a refused one", async () => {
    const run = await runAgainst({ GetNode: () => edge7 }, ["node", "edge-7"], { nowMs });
    expect(run.stdout).toContain("LDS   web       h2    -             REFUSED: cannot bind");
    expect(run.stdout).toContain("CDS   shop      h1    h1            ack");
  });
});

describe("what a proxy was sent", () => {
  const web = (port: number, more: object = {}) => ({
    type: "LDS",
    resources: [
      { name: "web", versionSent: `v${port}`, versionAcknowledged: `v${port}`, content: `{"port":${port}}`, ...more },
    ],
  });
  const nodes: Readonly<Record<string, object>> = {
    a: { id: "a", types: [web(80), { type: "RDS", resources: [{ name: "web", versionSent: "r1", content: "{}" }] }] },
    b: { id: "b", types: [web(81)] },
    refusing: {
      id: "refusing",
      types: [web(80, { versionAcknowledged: "", refusal: "cannot bind", versionRefused: "v80" })],
    },
  };
  const GetNode = ({ id }: { id: string }) => nodes[id];

  it("is printed as YAML, of one type or of all", async () => {
    const run = await runAgainst({ GetNode }, ["node", "refusing", "--type", "lds", "-o", "yaml"]);
    expect(run.calls[0]?.request).toMatchObject({ id: "refusing", type: "lds", contents: true });
    expect(run.stdout).toBe(
      '- type: LDS\n  name: web\n  version: v80\n  state: "REFUSED: cannot bind"\n  content:\n    port: 80\n',
    );
  });

  it("is compared with what another one was sent", async () => {
    const run = await runAgainst({ GetNode }, ["node", "a", "--diff", "b"]);
    expect(run.stdout).toBe("  LDS web\n    port  80 → 81\n  RDS web  only at a\n");
    expect((await runAgainst({ GetNode }, ["node", "a", "--diff", "a"])).stdout).toBe("  a and a were sent the same\n");
    expect((await runAgainst({ GetNode }, ["node", "a", "--diff", "b", "-o", "yaml"])).code).toBe(2);
  });
});

describe("resend", () => {
  it("says how much goes again, and of which replicas nobody knows", async () => {
    const unknownReplicas = [{ replica: "plane-b", silent: { seconds: 12n } }];
    const run = await runAgainst({ Resend: () => ({ resources: 3, unknownReplicas }) }, [
      "resend",
      "edge-7",
      "--type",
      "lds",
    ]);
    expect(run.calls[0]?.request).toMatchObject({ id: "edge-7", type: "lds" });
    expect(run.stdout).toBe("  sending 3 resources to edge-7 again\n");
    expect(run.stderr).toContain("replica plane-b has been silent for 12 s");
  });
});

describe("resend --wait", () => {
  const resend = (answer: object) =>
    runAgainst({ Resend: () => ({ resources: 2 }), WaitForRevision: () => [answer] }, [
      ...["resend", "edge-7", "--type", "lds", "--wait", "--timeout", "5s"],
    ]);
  const pending = [{ id: "edge-7", state: "refused", message: "Listener web: cannot bind" }];

  it("returns when the proxy has acknowledged what it is sent again", async () => {
    const run = await resend({ outcome: Outcome.REACHED, total: 1, done: 1, elapsed: { nanos: 63_000_000 } });
    expect(run.calls[1]).toMatchObject({
      method: "WaitForRevision",
      request: { revision: "", nodes: ["edge-7"], onItsWay: { type: "lds" }, timeout: { seconds: 5n } },
    });
    expect(run.stdout).toBe("  sending 2 resources to edge-7 again\n  acknowledged by 1 of 1 proxies in 63 ms\n");
  });

  it("exits with 3 and the proxy's words when it is refused again, and when it takes too long", async () => {
    const refused = await resend({ outcome: Outcome.REFUSED, total: 1, pending });
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining("Listener web: cannot bind") });
    expect(refused.stderr).toContain("it was sent again, but a proxy refused it");
    const late = await resend({ outcome: Outcome.TIMED_OUT, total: 1, elapsed: { seconds: 5n } });
    expect(late).toMatchObject({ code: 3, stderr: expect.stringContaining("not acknowledged in 5.0 s") });
  });
});

describe("watch", () => {
  const answers = {
    Watch: () => [
      {
        events: [{ kind: "service", name: "shop", object: { object: { case: "service", value: { name: "shop" } } } }],
        synced: true,
        revision: "1.8",
      },
      {
        revision: "1.9",
        events: [
          {
            kind: "health",
            name: "shop/a/override",
            health: { backend: "shop/a", source: "override", status: Health_Status.UNHEALTHY, reason: "disk full" },
          },
          { kind: "route", name: "old", deleted: true, revision: "1.9", time: { seconds: 61n } },
          {
            kind: "service",
            name: "shop",
            revision: "1.9",
            object: { object: { case: "service", value: { name: "shop", policy: "fair", meta: { generation: 2n } } } },
          },
        ],
        commits: [{ revision: "1.9", actor: "cli:ann", operation: "apply", reason: "more traffic" }],
      },
    ],
  };

  it("prints changes, not what was there before", async () => {
    const run = await runAgainst(answers, ["watch"]);
    expect(run.stdout.split("\n")).toEqual([
      "00:00:00  ~ health shop/a/override  UNHEALTHY  disk full, until it is cleared",
      "00:01:01  - route old  by cli:ann, apply: more traffic",
      '00:00:00  ~ service shop  policy (none) → "fair"  by cli:ann, apply: more traffic',
      "",
    ]);
    expect(run.stderr).toBe(
      "connected at revision 1.8, 1970-01-01 00:00:00 UTC; watching for changes, Ctrl-C to stop\n",
    );
  });

  it("prints first what is there when asked, one JSON message a line", async () => {
    const run = await runAgainst(answers, ["watch", "--present", "-o", "json"]);
    const lines = run.stdout.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ synced: true }, { revision: "1.9" }]);
  });
});

describe("history and rollback", () => {
  const entry = {
    generation: 17n,
    revision: "1.4",
    time: { seconds: 0n },
    actor: "ann",
    reason: "more traffic",
    object: { object: { case: "service", value: { name: "shop", policy: "fair" } } },
  };

  it("lists generations", async () => {
    const run = await runAgainst({ ListHistory: () => ({ entries: [entry] }) }, ["history", "service", "shop"]);
    expect(run.stdout).toContain("17          1970-01-01 00:00:00 UTC  1.4       ann    more traffic");
  });

  it("prints a generation as a manifest", async () => {
    const run = await runAgainst({ ListHistory: () => ({ entries: [entry] }) }, [
      "history",
      "service",
      "shop",
      "-o",
      "yaml",
    ]);
    expect(run.stdout).toBe("# generation 17\nkind: Service\nname: shop\npolicy: fair\n");
  });

  it("writes a generation again", async () => {
    const fields = [{ path: "rules[0].to[0].weight", from: "50", to: "10" }];
    const change = { kind: "route", name: "shop", action: Action.UPDATE, fields };
    const argv = ["rollback", "route", "shop", "--to", "17"];
    const run = await runAgainst({ Rollback: () => ({ revision: "1.5", change }) }, argv);
    expect(run.code).toBe(0);
    expect(run.calls).toMatchObject([
      { request: { kind: "route", name: "shop", toGeneration: 17n, options: { validateOnly: false } } },
    ]);
    expect(run.stdout).toBe("  ~ route shop        rules[0].to[0].weight 50 → 10\n  1 change. Revision 1.5.\n");
    const dry = await runAgainst({ Rollback: () => ({ change }) }, [...argv, "--dry-run"]);
    expect(dry.calls).toMatchObject([{ request: { options: { validateOnly: true } } }]);
    expect(dry.stdout).toContain("  1 change. Dry run: nothing was changed.\n");
  });

  it("takes back a whole commit", async () => {
    const changes = [
      { kind: "route", name: "shop", action: Action.DELETE },
      { kind: "service", name: "shop", action: Action.CREATE },
    ];
    const argv = ["rollback", "--revision", "1.4", "--allow-removal", "--reason", "broke"];
    const run = await runAgainst({ RollbackRevision: () => ({ revision: "1.6", changes }) }, argv);
    expect(run.calls).toMatchObject([
      { method: "RollbackRevision", request: { revision: "1.4", allowRemoval: true, options: { reason: "broke" } } },
    ]);
    expect(run.stdout).toBe("  - route shop\n  + service shop\n  2 changes. Revision 1.6.\n");
  });

  it.each([
    ["rollback"],
    ["rollback", "route", "shop"],
    ["rollback", "route", "--to", "1"],
    ["rollback", "route", "shop", "--revision", "1.4"],
    ["rollback", "--revision", "1.4", "--to", "1"],
  ])("%s %s %s %s %s is wrong usage", async (...argv) => {
    expect(
      (
        await runAgainst(
          {},
          argv.filter((word) => word !== undefined),
        )
      ).code,
    ).toBe(2);
  });
});
