/** Checks, verdicts and drains as a real Envoy and its clients feel them. */
import { describe, expect, it } from "vitest";
import { AdminService } from "../../src/gen/fairlead/admin/v1/admin_pb.ts";
import { Health_Status } from "../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { type Backend, startBackend } from "../support/backend.ts";
import { eventually } from "../support/eventually.ts";
import { backend, routeTo, service } from "../support/manifest.ts";
import { type Stack, startStack } from "../support/stack.ts";
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
    const ackMs = Date.now() - killedAt;
    // 3 × 300 ms + 100 ms; the rest is what a busy machine may take.
    expect(ackMs).toBeLessThan(3 * 300 + 100 + 500);
    const after = await traffic.more(200);
    expect(after.filter(({ backend }) => backend !== "one")).toEqual([]);
    const explained = await stack.plane.mustCli("explain", "backend", "shop/two");
    expect(explained).toMatch(/not routable: unhealthy .*connection/);
    expect(explained).toContain("3 in a row, threshold 3");
    expect(explained).toMatch(/1 of 1 acknowledged its removal from rotation, \d+(\.\d+)? m?s after the verdict/);
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

describe("drains", () => {
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
    for (const leaving of old) {
      const fresh = disposables.use(await startBackend(`new-${leaving.name}`));
      await stack.apply(backend(`shop/${fresh.name}`, fresh.address));
      await whenHealthy(stack, [fresh.name]);
      await stack.plane.mustCli("drain", `shop/${leaving.name}`, "--wait");
      await leaving.stop();
    }
    await traffic.more(200);
    expect(traffic.failures()).toEqual([]);
    const { backends } = await stack.admin.call(AdminService.method.listBackends, { service: "shop" });
    expect(backends.map(({ name }) => name)).toEqual(["shop/new-one", "shop/new-three", "shop/new-two"]);
  });
});
