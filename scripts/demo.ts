/**
 * The first minute with Fairlead: a plane, three backends, an Envoy and real requests, all on this machine.
 * `--once` ends it after the summary. Ctrl-C or SIGTERM stops everything it started and removes what it wrote.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAdmin } from "../src/cli/admin-client.ts";
import { runCli } from "../src/cli/main.ts";
import { AdminService } from "../src/gen/fairlead/admin/v1/admin_pb.ts";
import { type Node, NodeType_State as State } from "../src/gen/fairlead/admin/v1/node_pb.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { ENVOY_VERSIONS, provideEnvoy } from "./components/envoy.ts";
import { type ChildProcess, startChild } from "./demo/child-process.ts";
import { portNear } from "./demo/ports.ts";
import { countAnswers } from "./demo/requests.ts";
import { shopManifest, startShopBackend } from "./demo/shop.ts";
import { Steps, until } from "./demo/steps.ts";

const REQUESTS = 300;
/** How many requests one look at the traffic takes, after the summary. */
const FOLLOWED = 60;
const FLEET = "edge";
const NODE = "edge-1";

interface Addresses {
  readonly xds: string;
  readonly admin: string;
  readonly http: string;
}

const once = process.argv.includes("--once");
const folder = mkdtempSync(join(tmpdir(), "fairlead-demo-"));
const started: { stop(): Promise<void> }[] = [];
const children: ChildProcess[] = [];
const steps = new Steps();

/** Resolves when somebody wants the demo to end. */
const interrupted = new Promise<void>((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, resolve);
});
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

try {
  await Promise.race([show(), interrupted]);
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  // The last that started stops first: Envoy before its plane.
  for (const one of started.toReversed()) await one.stop();
}
process.exit();

/** Ends after the summary with `--once`; otherwise only with an error. */
async function show(): Promise<void> {
  const envoy = await steps.run("Envoy", async (say) => {
    const found = provideEnvoy({ version: ENVOY_VERSIONS.newest, orOther: true, progress: say });
    return [found, `${found.version}, from ${found.foundIn}`];
  });
  const addresses = await startPlane();
  const listener = `127.0.0.1:${await portNear(10_000)}`;
  await applyShop(addresses, listener);
  await startEnvoy(envoy.path, addresses);

  const url = `http://${listener}`;
  const answers = await until(
    "the first request",
    async () =>
      (await countAnswers(url, 1)).keys().next().value?.startsWith("shop-") ? countAnswers(url, REQUESTS) : undefined,
    () => undefined,
  );
  summarize(addresses, url, answers);
  if (![...answers.keys()].every((who) => who.startsWith("shop-"))) throw new Error("not every request was answered");
  if (!once) await followTraffic(url);
}

function startPlane(): Promise<Addresses> {
  return steps.run("control plane", async () => {
    const startedAt = performance.now();
    const [xds, admin, http] = await Promise.all([18_000, 18_001, 18_002].map(loopbackNear));
    if (xds === undefined || admin === undefined || http === undefined) throw new Error("three ports are needed");
    const main = join(import.meta.dirname, "../src/main.ts");
    const data = join(folder, "data");
    const args = [main, "up", "--data", data, "--xds", xds, "--admin", admin, "--http", http];
    const child = keepChild(startChild(process.execPath, args, join(folder, "plane.log")));
    await until(
      "the plane becomes ready",
      () => isReady(`http://${http}/readyz`),
      () => failure(child),
    );
    const ms = Math.round(performance.now() - startedAt);
    return [{ xds, admin, http }, `ready in ${ms} ms, embedded store in ${data}`];
  });
}

async function applyShop(addresses: Addresses, listener: string): Promise<void> {
  await steps.run("shop: 3 backends", async () => {
    const backends = await Promise.all(
      [1, 2, 3].map((number) => startShopBackend(`shop-${number}`, 9000 + number).then(keep)),
    );
    const manifest = join(folder, "shop.yaml");
    writeFileSync(manifest, shopManifest(backends, listener));
    await fairlead(addresses, "apply", "-f", manifest);
    const admin = connectAdmin(addresses.admin);
    const isHealthy = async () => {
      const { status } = await admin.call(AdminService.method.getService, { name: "shop" });
      return status?.eligible === backends.length ? true : undefined;
    };
    await until("the backends are healthy", isHealthy, () => undefined);
    admin.close();
    return [undefined, `healthy, applied from ${manifest}`];
  });
}

async function startEnvoy(program: string, addresses: Addresses): Promise<void> {
  await steps.run(`envoy ${NODE}`, async () => {
    const startedAt = performance.now();
    const adminSocket = join(mkdtempSync(join(folder, "envoy-")), "admin.sock");
    const place = ["--node-id", NODE, "--fleet", FLEET, "--xds", addresses.xds, "--admin-socket", adminSocket];
    const bootstrap = join(folder, "envoy.yaml");
    writeFileSync(bootstrap, await fairlead(addresses, "bootstrap", ...place));
    const options = ["-c", bootstrap, "--use-dynamic-base-id", "--concurrency", "2", "--log-level", "warning"];
    const child = keepChild(startChild(program, options, join(folder, "envoy.log")));
    const admin = connectAdmin(addresses.admin);
    const node = await until(
      "Envoy acknowledges",
      () => admin.call(AdminService.method.getNode, { id: NODE }).then(ifUpToDate, () => undefined),
      () => failure(child),
    );
    admin.close();
    const acknowledged = node.types.flatMap(({ resources }) => resources).length;
    const ms = Math.round(performance.now() - startedAt);
    return [undefined, `connected, ${acknowledged} resources acknowledged ${ms} ms after its start`];
  });
}

function summarize({ admin, http }: Addresses, url: string, answers: ReadonlyMap<string, number>): void {
  const elsewhere = admin === "127.0.0.1:18001" ? [] : [`export FAIRLEAD_SERVER=${admin}`];
  const lines = [
    "",
    `  traffic   ${url}      ${shares(answers)} of ${REQUESTS} requests`,
    `  metrics   http://${http}/metrics`,
    "",
    "  Try in another terminal:",
    ...[...elsewhere, "npx fairlead status", "npx fairlead drain shop/shop-2 --wait", `npx fairlead node ${NODE}`].map(
      (command) => `    ${command}`,
    ),
    once ? "" : "  Ctrl-C stops everything and removes it.",
  ];
  console.log(lines.join("\n"));
}

/** Goes on sending requests and shows on a terminal who answers, so that changes can be seen. Ends only with an error. */
async function followTraffic(url: string): Promise<never> {
  for (;;) {
    const reason = children.map(failure).find((found) => found !== undefined);
    if (reason !== undefined) throw new Error(reason);
    const answers = await countAnswers(url, FOLLOWED);
    if (process.stdout.isTTY) process.stdout.write(`\r\u001B[K  now       ${shares(answers)}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** `shop-1 33 %  shop-2 67 %` */
function shares(answers: ReadonlyMap<string, number>): string {
  const all = [...answers.values()].reduce((sum, count) => sum + count, 0);
  return [...answers].map(([who, count]) => `${who} ${Math.round((count / all) * 100)} %`).join("  ");
}

/** Runs one command of the product and returns what it printed. */
async function fairlead({ admin }: Addresses, ...argv: readonly string[]): Promise<string> {
  let [printed, complaint] = ["", ""];
  const io = {
    stdout: { write: (text: string) => (printed += text) },
    stderr: { write: (text: string) => (complaint += text) },
    env: { FAIRLEAD_SERVER: admin },
    clock: systemClock,
    isTty: false,
  };
  if ((await runCli(argv, io)) !== 0) throw new Error(`fairlead ${argv.join(" ")}: ${complaint}`);
  return printed;
}

function ifUpToDate(node: Node): Node | undefined {
  const states = node.types.map(({ state }) => state).filter((state) => state !== State.IDLE);
  return states.length > 0 && states.every((state) => state === State.ACKED) && node.lagMs === 0n ? node : undefined;
}

async function isReady(url: string): Promise<true | undefined> {
  try {
    return (await fetch(url)).ok ? true : undefined;
  } catch {
    return undefined;
  }
}

async function loopbackNear(port: number): Promise<string> {
  return `127.0.0.1:${await portNear(port)}`;
}

function keep<T extends { stop(): Promise<void> }>(one: T): T {
  started.push(one);
  return one;
}

function keepChild(child: ChildProcess): ChildProcess {
  children.push(child);
  return keep(child);
}

function failure(child: ChildProcess): string | undefined {
  const reason = child.ended();
  return reason === undefined ? undefined : `${reason}\n${child.logTail()}`;
}
