import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { Change_Action } from "../../../src/gen/fairlead/admin/v1/apply_pb.ts";
import { type Backend, Backend_State, Health_Status } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { WaitForRevisionResponse_Outcome } from "../../../src/gen/fairlead/admin/v1/observe_pb.ts";
import { planeError, runAgainst } from "./fake-plane.ts";

const draining = {
  name: "shop/shop-1",
  meta: { uid: "u1" },
  state: Backend_State.DRAINING,
  drainTime: { seconds: 1000n },
};
const reached = () => [
  { outcome: WaitForRevisionResponse_Outcome.REACHED, total: 2, done: 2, elapsed: { nanos: 48_000_000 } },
];

/** A plane on which the backend is there for so many looks, and what it is then. */
function drainingFor(looks: number, then: () => unknown) {
  let looked = 0;
  return {
    DrainBackend: () => ({ backend: draining, revision: "1.7" }),
    WaitForRevision: reached,
    GetService: () => ({ name: "shop", drainTime: { seconds: 30n } }),
    GetBackend: () => (looked++ < looks ? draining : then()),
  };
}

const gone = () => {
  throw planeError(status.NOT_FOUND, "BACKEND_NOT_FOUND", "no such backend");
};

describe("register", () => {
  it("registers a backend with what the options say", async () => {
    const argv = ["register", "shop/shop-4", "--address", "10.0.4.7:9001", "--weight", "2", "--zone", "eu-1a"];
    const run = await runAgainst({ RegisterBackend: () => ({ revision: "1.4" }) }, argv);
    expect(run.code).toBe(0);
    expect(run.calls).toMatchObject([
      {
        request: {
          backend: { name: "shop/shop-4", target: { value: "10.0.4.7:9001" }, weight: 2, locality: { zone: "eu-1a" } },
        },
      },
    ]);
  });

  it("takes one target, not two", async () => {
    const argv = ["register", "shop/a", "--address", "127.0.0.1:1", "--pipe", "/x"];
    expect(await runAgainst({}, argv)).toMatchObject({ code: 2, calls: [] });
  });

  it("sends nothing but what the options say, a written zero too", async () => {
    const sent = async (...options: string[]) => {
      const run = await runAgainst({ RegisterBackend: () => ({ revision: "1.4" }) }, [
        "register",
        "shop/a",
        ...options,
      ]);
      return (run.calls[0]?.request ?? {}) as { backend: Backend };
    };
    const { target, weight, priority, locality } = (await sent("--label", "a=b")).backend;
    expect([target.case, weight, priority, locality]).toEqual([undefined, undefined, undefined, undefined]);
    expect(await sent("--weight", "0", "--priority", "0")).toMatchObject({ backend: { weight: 0, priority: 0 } });
  });

  it("says what it changed, and at once what keeps the backend from getting requests", async () => {
    const { UPDATE, UNCHANGED } = Change_Action;
    const fields = [{ path: "weight", from: "1", to: "2" }];
    const status = { reason: "duplicate-address", message: "10.0.4.7:9001 belongs to the older backend shop/shop-1" };
    const output = async (change: object) => {
      const backend = { name: "shop/a" };
      const answers = {
        RegisterBackend: () => ({ backend, change, revision: "1.4" }),
        GetBackend: () => ({ ...backend, status }),
      };
      return (await runAgainst(answers, ["register", "shop/a"])).stdout;
    };
    const notEligible = `  not eligible  ${status.message}\n`;
    expect(await output({ action: UPDATE, fields })).toBe(
      `  changed shop/a  weight 1 → 2  revision 1.4\n${notEligible}`,
    );
    expect(await output({ action: UNCHANGED })).toBe(`  registered shop/a  unchanged  revision 1.4\n${notEligible}`);
  });
});

describe("register --wait", () => {
  const backend = { name: "shop/shop-4", meta: { uid: "u4", version: "1.4" } };
  const pending = { reason: "pending", message: "pending: its checks have not proven it healthy yet" };
  const active = { eligible: true, reason: "active", message: "active and healthy" };
  const argv = ["register", "shop/shop-4", "--address", "10.0.4.7:9001", "--wait", "--timeout", "5s"];

  /** A plane on which the backend is as told, one look after the other, and then as told last. */
  function plane(looks: readonly object[], explained: object = {}) {
    // The first look is there for what is said at once.
    let looked = -1;
    const last = { ...backend, status: looks.at(-1) };
    return {
      RegisterBackend: () => ({ backend, revision: "1.4" }),
      GetBackend: () => ({ ...backend, status: looks[Math.min(Math.max(0, looked++), looks.length - 1)] }),
      ExplainBackend: () => ({ backend: last, revision: "1.4", ...explained }),
      WaitForRevision: reached,
    };
  }
  const awaited = (run: { calls: readonly { method: string; request: unknown }[] }) =>
    run.calls.flatMap(({ method, request }) => (method === "WaitForRevision" ? [request] : []));

  it("returns once it is eligible and the proxies have the verdict that made it so", async () => {
    const run = await runAgainst(plane([pending, pending, active], { revision: "1.9" }), argv);
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(run.stdout).toContain("  eligible      active and healthy\n  acknowledged by 2 of 2 proxies in 48 ms\n");
    expect(awaited(run)).toMatchObject([{ revision: "1.9", timeout: { seconds: 4n } }]);
  });

  it("waits for its own revision where nothing checks it", async () => {
    expect(awaited(await runAgainst(plane([active]), argv))).toMatchObject([{ revision: "1.4" }]);
  });

  it("waits for all that is there where something else made it eligible", async () => {
    const held = { reason: "duplicate-address", message: "10.0.4.7:9001 belongs to the older backend shop/shop-1" };
    expect(awaited(await runAgainst(plane([held, active]), argv))).toMatchObject([{ revision: "" }]);
    expect(awaited(await runAgainst(plane([pending, active]), argv))).toMatchObject([{ revision: "" }]);
  });

  it("exits with 3 and what its check says when it is not eligible in time", async () => {
    const run = await runAgainst(plane([pending], { checks: [{ reason: "connection refused" }] }), argv);
    expect(run.code).toBe(3);
    expect(run.stderr).toMatch(
      /not eligible in 5\.0 s: the change was made.*\n.*pending: .*\n.*check: connection refused/,
    );
    expect(awaited(run)).toEqual([]);
  });

  it("fails when somebody removes it meanwhile, or another of its name has come", async () => {
    expect(await runAgainst({ ...plane([pending]), GetBackend: gone }, argv)).toMatchObject({ code: 1 });
    const other = () => ({ ...backend, meta: { uid: "u5" }, status: active });
    expect(await runAgainst({ ...plane([pending]), GetBackend: other }, argv)).toMatchObject({ code: 1 });
  });

  it("names fleets whose proxies are not told of it", async () => {
    const run = await runAgainst(
      plane([active], { leftOut: [{ fleet: "edge", reason: "10.0.4.7 is elsewhere" }] }),
      argv,
    );
    expect(run.stdout).toContain("fleet edge do not get it: 10.0.4.7 is elsewhere");
  });
});

describe.each([
  ["drain", "DrainBackend", ["drain", "shop/a"]],
  ["unregister", "UnregisterBackend", ["unregister", "shop/a"]],
  ["delete backend", "UnregisterBackend", ["delete", "backend", "shop/a"]],
  ["health --override", "ReportHealth", ["health", "shop/a", "--override", "unhealthy"]],
  ["health --clear", "ClearHealth", ["health", "shop/a", "--clear"]],
])("%s", (_, method, argv) => {
  const option = argv[0] === "delete" ? "--force" : "--allow-removal";

  it("asks for the removal of the last eligible backend only when told so", async () => {
    const plain = await runAgainst({ [method]: () => ({}) }, argv);
    expect(plain.calls[0]).toMatchObject({ method, request: { allowRemoval: false } });
    const told = await runAgainst({ [method]: () => ({}) }, [...argv, option]);
    expect(told.calls[0]).toMatchObject({ method, request: { allowRemoval: true } });
  });
});

describe("drain --wait", () => {
  it("returns when the backend is removed", async () => {
    const run = await runAgainst(drainingFor(3, gone), ["drain", "shop/shop-1", "--wait"], { nowMs: 1_000_000 });
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(run.stdout).toBe(
      "  draining      acknowledged by 2 of 2 proxies in 48 ms\n  removed       safe to stop shop-1\n",
    );
  });

  describe("with a proxy that is away", () => {
    const away = { id: "edge-7", state: "disconnected", message: "no open stream" };
    const { WAITING, REACHED } = WaitForRevisionResponse_Outcome;
    const waiting = { outcome: WAITING, total: 2, done: 1, pending: [away], elapsed: { nanos: 48_000_000 } };
    const drain = (answers: readonly object[], ...argv: string[]) =>
      runAgainst({ ...drainingFor(1, gone), WaitForRevision: () => answers }, [
        "drain",
        "shop/shop-1",
        "--wait",
        ...argv,
      ]);

    it("goes on, names it, and exits with 3 when it has not come back by then", async () => {
      const run = await drain([waiting]);
      expect(run.code).toBe(3);
      expect(run.stdout).toBe(
        "  draining      acknowledged by 1 of 2 proxies in 48 ms\n  edge-7: disconnected, no open stream\n",
      );
      expect(run.stderr).toMatch(/removed, but not safe to stop shop-1: .*\n {2}edge-7: disconnected, no open stream/);
    });

    it("is satisfied when it comes back meanwhile", async () => {
      const run = await drain([waiting, { outcome: REACHED, total: 2, done: 2 }]);
      expect(run).toMatchObject({ code: 0, stderr: "" });
      expect(run.stdout).toContain("safe to stop shop-1");
    });

    it("waits for one that is connected and has not acknowledged, and exits with 3", async () => {
      const behind = { id: "edge-8", state: "sent", message: "not acknowledged yet" };
      const { TIMED_OUT } = WaitForRevisionResponse_Outcome;
      const run = await drain([
        { ...waiting, pending: [away, behind] },
        { outcome: TIMED_OUT, total: 2, pending: [behind] },
      ]);
      expect(run.code).toBe(3);
      expect(run.stdout).toBe("");
      expect(run.stderr).toContain("edge-8: sent");
    });
  });

  it("shows on a terminal how far the drain is", async () => {
    const run = await runAgainst(drainingFor(3, gone), ["drain", "shop/shop-1", "--wait"], {
      nowMs: 1_018_000,
      isTty: true,
    });
    expect(run.stdout).toContain("  waiting       ████████████░░░░░░░░  18 s of 30 s");
  });

  it("draws nothing into the document of -o json", async () => {
    const argv = ["drain", "shop/shop-1", "--wait", "-o", "json"];
    const run = await runAgainst(drainingFor(3, gone), argv, { nowMs: 1_018_000, isTty: true });
    expect(JSON.parse(run.stdout)).toMatchObject({ removed: true, wait: { done: 2 } });
  });

  it("counts a backend of the same name that came later as removed", async () => {
    const run = await runAgainst(
      drainingFor(1, () => ({ ...draining, meta: { uid: "u2" }, state: Backend_State.ACTIVE })),
      ["drain", "shop/shop-1", "--wait"],
    );
    expect(run.code).toBe(0);
  });

  it("fails when somebody takes the drain back", async () => {
    const run = await runAgainst(
      drainingFor(1, () => ({ ...draining, state: Backend_State.ACTIVE })),
      ["drain", "shop/shop-1", "--wait"],
    );
    expect(run.code).toBe(1);
  });

  it("exits with 3 when the removal is late", async () => {
    const run = await runAgainst(drainingFor(Number.POSITIVE_INFINITY, gone), [
      "drain",
      "shop/shop-1",
      "--wait",
      "--timeout",
      "5s",
    ]);
    expect(run.code).toBe(3);
  });

  it("waits for no removal when the drain is undone", async () => {
    const run = await runAgainst(drainingFor(0, gone), ["drain", "shop/shop-1", "--undo", "--wait"]);
    expect(run.code).toBe(0);
    expect(run.calls.map(({ method }) => method)).toEqual(["DrainBackend", "WaitForRevision"]);
  });
});

describe("health", () => {
  it("overrules every other source, until a time", async () => {
    const argv = ["health", "shop/shop-3", "--override", "unhealthy", "--for", "1h", "--reason", "disk full"];
    const run = await runAgainst({ ReportHealth: () => ({ revision: "1.9", changed: true }) }, argv);
    expect(run.code).toBe(0);
    expect(run.calls).toMatchObject([
      {
        request: {
          health: {
            backend: "shop/shop-3",
            source: "override",
            status: Health_Status.UNHEALTHY,
            reason: "disk full",
          },
          ttl: { seconds: 3600n },
        },
      },
    ]);
  });

  it("is overruled until a time of day", async () => {
    const argv = ["health", "shop/shop-3", "--override", "unhealthy", "--until", "18:00"];
    const answer = () => ({ revision: "1.5", changed: true, health: { expireTime: { seconds: 64_800n } } });
    const run = await runAgainst({ ReportHealth: answer }, argv, { nowMs: 16 * 3_600_000 });
    expect(run.calls).toMatchObject([{ request: { ttl: { seconds: 7_200n } } }]);
    expect(run.stdout).toContain("unhealthy by override until 1970-01-01 18:00:00 UTC");
    expect((await runAgainst({}, [...argv.slice(0, -1), "noon"])).code).toBe(2);
    expect((await runAgainst({}, [...argv, "--for", "1h"])).code).toBe(2);
  });

  it("takes the override back", async () => {
    const run = await runAgainst({ ClearHealth: () => ({ revision: "1.9" }) }, ["health", "shop/shop-3", "--clear"]);
    expect(run.calls).toMatchObject([{ request: { backend: "shop/shop-3", source: "override" } }]);
  });

  it.each([
    [["health", "shop", "--override", "healthy"]],
    [["health", "shop/a", "--override", "fine"]],
    [["health", "shop/a", "--override", "healthy", "--clear"]],
    [["health", "shop/a", "--for", "1h"]],
  ])("does not guess what %j means", async (argv) => {
    expect(await runAgainst({}, argv)).toMatchObject({ code: 2, calls: [] });
  });

  it("lists the verdicts on one backend only", async () => {
    const verdicts = ["shop/a", "shop/b"].map((backend) => ({
      backend,
      source: "override",
      status: Health_Status.HEALTHY,
    }));
    const run = await runAgainst({ ListHealth: () => ({ health: verdicts }) }, ["health", "shop/a", "-o", "json"]);
    expect(JSON.parse(run.stdout)).toMatchObject([{ backend: "shop/a" }]);
    expect(run.calls).toMatchObject([{ request: { service: "shop" } }]);
  });
});
