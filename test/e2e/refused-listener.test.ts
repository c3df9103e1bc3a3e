import { createServer } from "node:net";
import { expect, test } from "vitest";
import { startBackend } from "../support/backend.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { backend, listener, manifest, routeTo, service } from "../support/manifest.ts";
import { metricOf } from "../support/plane-health.ts";
import { NODE_ID, startStack } from "../support/stack.ts";
import { send, sendMany, Traffic, tally } from "../support/traffic.ts";

interface ShownNode {
  readonly id: string;
  readonly types: readonly { readonly type: string; readonly state: string }[];
}

interface ShownListener {
  readonly conditions?: readonly { readonly ok?: boolean; readonly message: string }[];
}

test("a listener that Envoy refuses shows at the proxy and at the listener, and the last good one serves on", async () => {
  await using shop = await startBackend("shop");
  await using stack = await startStack({
    objects: [service("shop"), backend("shop/a", shop.address), routeTo("shop")],
  });
  await using traffic = new Traffic({ url: stack.url() }, 2);
  await traffic.more(50);
  await using taken = await takePort();

  const refused = await stack.plane.apply(manifest(listener("web", taken.port)), "--wait");
  expect(refused.code).not.toBe(0);
  expect(refused.stdout + refused.stderr).toContain("Address already in use");
  const again = await stack.plane.apply(manifest(listener("web", taken.port)), "--wait");
  expect(again).toMatchObject({ code: refused.code, stderr: expect.stringContaining("Address already in use") });
  expect(again.stdout).toContain("1 unchanged");

  await eventually(
    async () => JSON.parse(await stack.plane.mustCli("nodes", "-o", "json")) as ShownNode[],
    ([node]) => node?.types.find(({ type }) => type === "LDS")?.state === "REFUSED",
    { what: "the listener counts as refused" },
  );
  expect(await stack.plane.mustCli("nodes")).toMatch(new RegExp(`${NODE_ID}.*REFUSED`));
  expect(await stack.plane.mustCli("node", NODE_ID)).toContain("Address already in use");
  const shown = JSON.parse(await stack.plane.mustCli("get", "listener", "web", "-o", "json")) as ShownListener;
  const complaints = (shown.conditions ?? []).filter(({ ok }) => ok !== true).map(({ message }) => message);
  expect(complaints.join("\n")).toContain("Address already in use");
  expect(await stack.plane.mustCli("get", "listener", "web")).toContain("Address already in use");
  const metrics = await (await fetch(`http://${stack.plane.addresses.http}/metrics`)).text();
  for (const counted of [
    "nacks_total",
    "acks_total",
    "responses_sent_total",
    "response_bytes_count",
    "ack_seconds_count",
  ])
    expect(metrics).toMatch(new RegExp(`^fairlead_xds_${counted}\\{type="LDS"\\} [1-9]`, "m"));
  expect(metrics).toMatch(/^fairlead_xds_ack_seconds_bucket\{le="60",type="CDS"\} [1-9]/m);
  expect(metrics).toContain('fairlead_refused_resources{type="LDS"} 1\n');
  expect(metrics).toContain('fairlead_proxies{fleet="edge",state="refusing"} 1\n');
  expect(metrics).toContain('fairlead_problems{kind="refusal",severity="degraded"} 1\n');

  expect(tally(await sendMany({ url: stack.url() }, 20))).toEqual({ shop: 20 });
  await stack.apply(listener("web", stack.port));
  expect(await stack.plane.mustCli("nodes")).not.toContain("REFUSED");
  for (const name of ['refused_resources{type="LDS"}', 'proxies{fleet="edge",state="refusing"}'])
    expect(await metricOf(stack.plane, `fairlead_${name}`)).toBe(0);
  await traffic.stop();
  expect(traffic.failures()).toEqual([]);
});

test("a listener whose port another program held is served once that has gone, by itself and when it is asked for", async () => {
  await using shop = await startBackend("shop");
  await using stack = await startStack({
    objects: [service("shop"), backend("shop/a", shop.address), routeTo("shop")],
  });
  const { plane } = stack;
  const moved = async (move: () => Promise<unknown>) => {
    const taken = await takePort();
    expect((await plane.apply(manifest(listener("web", taken.port)), "--wait")).code).not.toBe(0);
    expect(await plane.mustCli("nodes")).toMatch(/REFUSED: LDS web: .*Address already in use/);
    const again = await plane.cli("resend", NODE_ID, "--type", "lds", "--wait");
    expect(again).toMatchObject({ code: 3, stderr: expect.stringContaining("Address already in use") });
    await taken[Symbol.asyncDispose]();
    await move();
    await eventually(
      () => send({ url: `http://127.0.0.1:${taken.port}/` }),
      ({ status }) => status === 200,
      { what: "the listener is served on its new port", timeoutMs: 10_000 },
    );
    expect(await plane.mustCli("nodes")).not.toContain("REFUSED");
  };
  await moved(async () => {});
  await moved(async () => {
    expect(await plane.mustCli("resend", NODE_ID, "--type", "lds", "--wait")).toContain(
      "  acknowledged by 1 of 1 proxies in ",
    );
    expect(await plane.mustCli("resend", NODE_ID, "--wait")).toContain("  acknowledged by 1 of 1 proxies in ");
  });

  const shown = await plane.mustCli("node", NODE_ID, "--type", "lds", "-o", "yaml");
  expect(shown).toMatch(/- type: LDS\n {2}name: web\n {2}version: \S+\n {2}state: ack\n {2}content:\n/);
  expect(shown).toContain("portValue: ");
  expect(await plane.mustCli("node", NODE_ID, "--diff", NODE_ID)).toContain("were sent the same");
  const everything = await plane.mustCli("node", NODE_ID, "-o", "yaml");
  for (const type of ["CDS", "EDS", "LDS", "RDS"]) expect(everything).toMatch(new RegExp(`type: ${type}\\n`));
  expect(everything).not.toContain("withheld");
});

test("one apply moves addresses between listeners, in a chain and round, and all are served", async () => {
  await using shop = await startBackend("shop");
  await using stack = await startStack({
    objects: [service("shop"), backend("shop/a", shop.address), routeTo("shop")],
  });
  const [second, third] = [await freePort(), await freePort()];
  await stack.apply(listener("a2", second));
  const plan = await stack.plane.mustApply(manifest(listener("web", third), listener("a2", stack.port)), "--dry-run");
  expect(plan).toContain(`  > 127.0.0.1:${stack.port}   web releases it before a2 takes it\n`);
  await stack.apply(listener("web", third), listener("a2", stack.port));
  await stack.apply(listener("web", stack.port), listener("a2", third));
  for (const port of [stack.port, third]) {
    expect((await send({ url: `http://127.0.0.1:${port}/` })).status, `port ${port}`).not.toBe(0);
  }
});

/** Holds a port of this machine, as another program would. */
async function takePort(): Promise<{ readonly port: number; [Symbol.asyncDispose](): Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
