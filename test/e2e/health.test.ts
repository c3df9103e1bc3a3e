/** Checks, verdicts and drains as a real Envoy and its clients feel them. */
import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { AdminService } from "../../src/gen/fairlead/admin/v1/admin_pb.ts";
import { Health_Status } from "../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { type Backend, startBackend } from "../support/backend.ts";
import { eventually } from "../support/eventually.ts";
import { backend, routeTo, service } from "../support/manifest.ts";
import { NODE_ID, type Stack, startStack } from "../support/stack.ts";
import { Traffic } from "../support/traffic.ts";

const CHECK = {
  http: { path: "/healthz" },
  interval: "0.3s",
  timeout: "0.2s",
  unhealthyThreshold: 3,
  healthyThreshold: 2,
};

/** A stack with one service `shop` and these backends, all of them proven healthy. */
async function startShop(backends: readonly Backend[], spec: object = {}): Promise<Stack> {
  const members = backends.map(({ name, address }) => backend(`shop/${name}`, address));
  const stack = await startStack({
    objects: [service("shop", { healthCheck: CHECK, ...spec }), routeTo("shop"), ...members],
  });
  await whenHealthy(
    stack,
    backends.map(({ name }) => name),
  );
  return stack;
}

const whenHealthy = ({ admin }: Stack, names: readonly string[]) =>
  eventually(
    async () => {
      const { backends } = await admin.call(AdminService.method.listBackends, { service: "shop" });
      return backends.filter(({ status }) => status?.eligible).map(({ name }) => name.slice("shop/".length));
    },
    (eligible) => names.every((name) => eligible.includes(name)),
    { what: `${names.join(", ")} are eligible` },
  );

const probed = async ({ admin }: Stack, name: string) =>
  (await admin.call(AdminService.method.listHealth, { service: "shop" })).health.find(
    (health) => health.backend === `shop/${name}` && health.source === "prober",
  );

describe("checks", () => {
  it("take a killed backend out of rotation in time, and it gets no request after", async () => {
    await using one = await startBackend("one");
    await using two = await startBackend("two");
    await using stack = await startShop([one, two]);
    await using traffic = new Traffic({ url: stack.url() });
    await traffic.more(50);
    await two.stop();
    const killedAt = Date.now();
    const verdict = await eventually(
      () => probed(stack, "two"),
      (health) => health?.status === Health_Status.UNHEALTHY,
      { what: "the verdict is unhealthy", everyMs: 5 },
    );
    expect(verdict?.reason).toMatch(/connection (refused|reset)/);
    await stack.acknowledged(verdict?.meta?.version ?? "");
    const after = await traffic.more(200);
    const { acknowledgedAfter } = await stack.admin.call(AdminService.method.explainBackend, { name: "shop/two" });
    if (verdict?.observeTime === undefined || acknowledgedAfter === undefined) throw new Error("nothing was measured");
    const outOfRotationMs = timestampMs(verdict.observeTime) - killedAt + durationMs(acknowledgedAfter);
    expect(outOfRotationMs).toBeLessThanOrEqual(CHECK.unhealthyThreshold * 300 + 100);
    expect(after.filter(({ backend }) => backend !== "one")).toEqual([]);
    const explained = await stack.plane.mustCli("explain", "backend", "shop/two");
    expect(explained).toMatch(/not routable: unhealthy .*connection/);
    expect(explained).toContain("3 in a row, threshold 3");
    expect(explained).toMatch(/1 of 1 have acknowledged its removal from rotation, \d+(\.\d+)? m?s after the verdict/);
    const metrics = await (await fetch(`http://${stack.plane.addresses.http}/metrics`)).text();
    expect(metrics).toMatch(/^fairlead_health_checks_total\{service="shop",outcome="fail"\} \d+$/m);
    expect(metrics).toMatch(/^fairlead_health_check_seconds_bucket\{le="0.1"\} \d+$/m);
    expect(metrics).toMatch(/^fairlead_health_verdicts_total\{service="shop",status="UNHEALTHY"\} 1$/m);
    expect(metrics).toMatch(/^fairlead_health_watched_backends 2$/m);
    expect(explained).toMatch(/last checks by \S+: \d\d:\d\d:\d\d connection refused in/);
  });

  it("bring it back when another process answers on its port", async () => {
    await using one = await startBackend("one");
    await using two = await startBackend("two");
    await using stack = await startShop([one, two]);
    await two.stop();
    await eventually(
      () => probed(stack, "two"),
      (health) => health?.status === Health_Status.UNHEALTHY,
      { what: "the verdict is unhealthy" },
    );
    await using again = await startBackend("again", { port: two.port });
    await whenHealthy(stack, ["two"]);
    await using traffic = new Traffic({ url: stack.url() });
    await eventually(
      () => traffic.answers.some(({ backend }) => backend === again.name),
      (seen) => seen,
      { what: "the new process answers" },
    );
    expect(traffic.failures()).toEqual([]);
  });

  it("keep a new backend out of rotation until it is proven", async () => {
    await using one = await startBackend("one");
    await using sick = await startBackend("sick");
    sick.behave({ status: 503 });
    await using stack = await startShop([one]);
    await using traffic = new Traffic({ url: stack.url() });
    await stack.apply(backend("shop/sick", sick.address));
    const verdict = await eventually(
      () => probed(stack, "sick"),
      (health) => health?.status === Health_Status.UNHEALTHY,
      { what: "the verdict is unhealthy" },
    );
    expect(verdict?.reason).toBe("HTTP 503");
    await traffic.more(100);
    expect(sick.requests.filter(({ path }) => path !== "/healthz")).toEqual([]);
    expect(traffic.failures()).toEqual([]);
  });
});

describe("verdicts", () => {
  it("cost a bounded number of pushes in a storm of flaps", async () => {
    await using one = await startBackend("one");
    await using two = await startBackend("two");
    const healthCheck = { ...CHECK, interval: "0.1s", timeout: "0.1s", unhealthyThreshold: 1, healthyThreshold: 1 };
    await using stack = await startShop([one, two], { healthCheck });
    const metric = async (line: string) => {
      const metrics = await (await fetch(`http://${stack.plane.addresses.http}/metrics`)).text();
      const found = metrics.split("\n").find((text) => text.startsWith(`${line} `));
      return Number(found?.slice(line.length));
    };
    const pushes = () => metric('fairlead_xds_responses_sent_total{type="EDS"}');
    const before = await pushes();
    const flaps = 30;
    for (let flap = 0; flap < flaps; flap++) {
      for (const status of [503, 200]) {
        two.behave({ status });
        const asked = two.requests.length;
        await eventually(
          () => two.requests.length,
          (now) => now >= asked + 2,
          { what: "it is checked while it is so" },
        );
      }
    }
    // Down and up twice; at the third time it is held down.
    expect(await metric('fairlead_health_verdicts_total{service="shop",status="UNHEALTHY"}')).toBeGreaterThanOrEqual(3);
    expect((await pushes()) - before).toBeLessThanOrEqual(10);
    expect((await probed(stack, "two"))?.reason).toMatch(/flapping: held down for at least \d+ s/);
  });

  it("of an operator beat the others until their time is over", async () => {
    await using one = await startBackend("one");
    await using two = await startBackend("two");
    await using stack = await startShop([one, two]);
    await using traffic = new Traffic({ url: stack.url() });
    const endsAt = Date.now() + 8000;
    await stack.plane.mustCli("health", "shop/two", "--override", "unhealthy", "--for", "8s", "--reason", "disk full");
    expect(await stack.plane.mustCli("explain", "backend", "shop/two")).toMatch(
      /not routable: unhealthy by override: disk full\n.*\n.*says override \(cli\): disk full; .*; until /,
    );
    await eventually(
      async () => (await traffic.more(50)).filter(({ backend }) => backend === "two").length,
      (count) => count === 0,
      { what: "it gets no request" },
    );
    await whenHealthy(stack, ["two"]);
    expect(Date.now()).toBeGreaterThanOrEqual(endsAt);
    expect(traffic.failures()).toEqual([]);
  });
});

describe("drains", () => {
  it("name a proxy that is away, and say by the exit code that it may still send requests", async () => {
    await using one = await startBackend("one");
    await using two = await startBackend("two");
    await using stack = await startShop([one, two], { drainTime: "1s" });
    process.kill(stack.envoy.pid, "SIGKILL");
    await eventually(
      async () => (await stack.admin.call(AdminService.method.getStatus, {})).proxiesConnected,
      (connected) => connected === 0,
      { what: "the proxy is away" },
    );
    const { code, stdout, stderr } = await stack.plane.cli("drain", "shop/two", "--wait");
    expect(code).toBe(3);
    expect(stdout).toContain(`${NODE_ID}: disconnected`);
    expect(stderr).toMatch(/not safe to stop two.*\n {2}edge-1: disconnected/);
    const last = await stack.plane.cli("drain", "shop/one", "--wait");
    expect(last).toMatchObject({ code: 1, stderr: expect.stringContaining("--allow-removal") });
    const skip = ["--on-disconnected", "skip", "--allow-empty", "--allow-removal"];
    const skipped = await stack.plane.cli("drain", "shop/one", "--wait", ...skip);
    expect(skipped).toMatchObject({ code: 0, stderr: "" });
  });

  it("can be undone, and the backend serves again", async () => {
    await using one = await startBackend("one");
    await using two = await startBackend("two");
    await using stack = await startShop([one, two], { drainTime: "3600s" });
    await using traffic = new Traffic({ url: stack.url() });
    const { revision } = await stack.admin.call(AdminService.method.drainBackend, { name: "shop/two" });
    await stack.acknowledged(revision);
    expect((await traffic.more(100)).filter(({ backend }) => backend === "two")).toEqual([]);
    await stack.plane.mustCli("drain", "shop/two", "--undo", "--wait");
    expect((await traffic.more(100)).some(({ backend }) => backend === "two")).toBe(true);
    expect(traffic.failures()).toEqual([]);
  });

  it("end with the removal of the backend, not earlier than its drain time", async () => {
    await using one = await startBackend("one");
    await using two = await startBackend("two");
    await using stack = await startShop([one, two], { drainTime: "2s" });
    const startedAt = Date.now();
    await stack.admin.call(AdminService.method.drainBackend, { name: "shop/two" });
    await eventually(
      async () => (await stack.admin.call(AdminService.method.listBackends, { service: "shop" })).backends.length,
      (left) => left === 1,
      { what: "the backend is removed" },
    );
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(2000);
  });

  it("let every backend be replaced under load without one failed request", async () => {
    const names = ["one", "two", "three"];
    await using disposables = new AsyncDisposableStack();
    const old: Backend[] = [];
    for (const name of names) old.push(disposables.use(await startBackend(name)));
    const stack = disposables.use(await startShop(old, { drainTime: "1s" }));
    const traffic = disposables.use(new Traffic({ url: stack.url() }, 8));
    const dead = ["shop/dead", "--address", "127.0.0.1:1"];
    const never = await stack.plane.cli("register", ...dead, "--wait", "--timeout", "3s");
    expect(never).toMatchObject({ code: 3, stderr: expect.stringMatching(/not eligible in .*\n.*\n.*refused/) });
    await stack.plane.mustCli("unregister", "shop/dead", "--wait");
    for (const leaving of old) {
      const fresh = disposables.use(await startBackend(`new-${leaving.name}`));
      await stack.plane.mustCli("register", `shop/${fresh.name}`, "--address", fresh.address, "--wait");
      await stack.plane.mustCli("drain", `shop/${leaving.name}`, "--wait");
      await leaving.stop();
    }
    await traffic.more(200);
    expect(traffic.failures()).toEqual([]);
    const { backends } = await stack.admin.call(AdminService.method.listBackends, { service: "shop" });
    expect(backends.map(({ name }) => name)).toEqual(["shop/new-one", "shop/new-three", "shop/new-two"]);
  });
});
