import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startChild } from "../support/child.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { startNats } from "../support/nats.ts";
import { runFairlead, startPlane } from "../support/plane.ts";
import { tempFolder } from "../support/temp-folder.ts";

const main = join(import.meta.dirname, "../../bin/fairlead.js");
/** A grace of one second, the second that a stop may take beyond it, and one for a busy machine. */
const GRACE = ["--stop-grace", "1"];
const END_WITHIN_MS = 3_000;

/** Starts a plane whose log goes to a file descriptor, or to a pipe of which nothing is read but what is asked for. */
async function startWithLog(folder: string, log: number | "pipe") {
  const http = `127.0.0.1:${await freePort()}`;
  const listen = ["--xds", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--http", http];
  const args = [main, "up", "--data", join(folder, "data"), ...listen, ...GRACE];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", log] });
  const exited = new Promise<number | string>((resolve) =>
    child.once("exit", (code, signal) => resolve(signal ?? code ?? -1)),
  );
  const isReady = async () => (await fetch(`http://${http}/readyz`).catch(() => undefined))?.ok === true;
  await eventually(isReady, (ready) => ready, { what: "the plane is ready", timeoutMs: 30_000 });
  const stop = async (signal: NodeJS.Signals) => {
    const startedAt = performance.now();
    child.kill(signal);
    const end = await exited;
    return { end, tookMs: performance.now() - startedAt };
  };
  return { child, stop, metrics: async () => (await fetch(`http://${http}/metrics`)).text() };
}

test.each(["SIGINT", "SIGTERM"] as const)(
  "a plane whose log has lost its reader serves on, and ends at %s",
  async (signal) => {
    using folder = tempFolder();
    const plane = await startWithLog(folder.path, "pipe");
    plane.child.stderr?.destroy();
    expect(await plane.metrics()).toContain("fairlead_log_lines_lost_total 0");
    const { end, tookMs } = await plane.stop(signal);
    expect(end).toBe(0);
    expect(tookMs).toBeLessThan(END_WITHIN_MS);
  },
);

test("a plane whose log's reader stands still starts, serves and ends", async () => {
  using folder = tempFolder();
  const pipe = join(folder.path, "pipe");
  execFileSync("mkfifo", [pipe]);
  const log = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  const full = () => {
    try {
      return writeSync(log, Buffer.alloc(4096)) === 0;
    } catch {
      return true;
    }
  };
  while (!full());
  const plane = await startWithLog(folder.path, log);
  const { end, tookMs } = await plane.stop("SIGTERM");
  closeSync(log);
  expect(end).toBe(0);
  expect(tookMs).toBeLessThan(END_WITHIN_MS);
});

test("a plane whose log's disk is full counts the lines that it lost", async () => {
  using folder = tempFolder();
  const full = openSync("/dev/full", "w");
  const plane = await startWithLog(folder.path, full);
  closeSync(full);
  expect(await plane.metrics()).toMatch(/^fairlead_log_lines_lost_total [1-9]/m);
  expect((await plane.stop("SIGTERM")).end).toBe(0);
});

test("a second signal ends it at once", async () => {
  using folder = tempFolder();
  const plane = await startWithLog(folder.path, "pipe");
  plane.child.kill("SIGSTOP");
  plane.child.kill("SIGTERM");
  plane.child.kill("SIGINT");
  plane.child.kill("SIGCONT");
  expect([0, "SIGTERM", "SIGINT"]).toContain((await plane.stop("SIGTERM")).end);
});

test("a plane whose store does not answer ends within its grace and a second, and says what did not end", async () => {
  await using nats = await startNats({ size: 1 });
  await using plane = await startPlane({ nats: nats.urls, args: GRACE });
  const [server] = nats.servers;
  server?.signal("SIGSTOP");
  const startedAt = performance.now();
  const end = await plane.stop();
  const tookMs = performance.now() - startedAt;
  server?.signal("SIGCONT");
  expect(tookMs).toBeLessThan(END_WITHIN_MS);
  expect(end).not.toBe("SIGKILL");
  if (end !== 0) expect(plane.log()).toContain("stopped, although these parts have not ended");
});

test("a plane that is still starting ends at once, in an orderly way", async () => {
  using folder = tempFolder();
  // It never says who it is, so a start waits for it.
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const connected = once(silent, "connection");
  const child = startChild({
    name: "plane",
    program: process.execPath,
    args: [main, "up", "--nats", `nats://127.0.0.1:${port}`, "--http", "127.0.0.1:0", ...GRACE],
    logFile: join(folder.path, "plane.log"),
  });
  await connected;
  const startedAt = performance.now();
  child.signal("SIGTERM");
  expect(await child.exited).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(END_WITHIN_MS);
  expect(child.log()).toContain("stopping before it was serving");
  silent.close();
});

test("a thread that waits for ever does not keep the process", async () => {
  using folder = tempFolder();
  const pipe = join(folder.path, "pipe");
  execFileSync("mkfifo", [pipe]);
  const hook = join(folder.path, "wait.mjs");
  writeFileSync(hook, `import { open } from "node:fs"; open(${JSON.stringify(pipe)}, "r", () => {});`);
  await using plane = await startPlane({ nodeArgs: ["--import", hook], args: GRACE });
  const startedAt = performance.now();
  process.kill(plane.pid(), "SIGTERM");
  expect(await plane.exited()).toBe("SIGKILL");
  expect(performance.now() - startedAt).toBeLessThan(END_WITHIN_MS);
  expect(plane.log()).toContain('"msg":"stopped"');
});

test.each(["throw", "reject"])(
  "an exception that escapes (%s) ends the plane with 70 within a second, told with its stack",
  async (how) => {
    using folder = tempFolder();
    const hook = join(folder.path, "escape.mjs");
    const failing = `const error = new Error("nobody caught this"); ${how === "throw" ? "throw error" : "Promise.reject(error)"};`;
    writeFileSync(hook, `process.on("SIGUSR2", () => setTimeout(function ofATest() { ${failing} }, 1));`);
    await using plane = await startPlane({ nodeArgs: ["--import", hook], args: ["--stop-grace", "60"] });
    const watch = runFairlead(["watch"], { env: { FAIRLEAD_SERVER: plane.addresses.admin } });
    const startedAt = performance.now();
    process.kill(plane.pid(), "SIGUSR2");
    const end = await plane.exited();
    expect(end).toBe(70);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    const fatal = plane
      .log()
      .split("\n")
      .find((line) => line.includes('"level":60'));
    expect(fatal).toMatch(/nobody caught this.*ofATest/);
    expect((await watch).code).not.toBe(0);
  },
);

test("a command whose output cannot be written says so in one line, and fails", async () => {
  using folder = tempFolder();
  const run = (redirect: string) => {
    const errors = join(folder.path, "errors");
    const line = `"${process.execPath}" "${main}" --help 2>"${errors}" ${redirect}; echo "\${PIPESTATUS[0]}"`;
    const codes = execFileSync("bash", ["-c", line], { encoding: "utf8" });
    return { code: Number(codes.trim().split("\n").at(-1)), errors: readFileSync(errors, "utf8") };
  };
  const full = run(">/dev/full");
  expect(full.code).toBe(1);
  expect(full.errors).toMatch(/^fairlead: the output could not be written to its end: .*no space left on device.*\n$/);
  const closed = run("| (exec 0<&-; sleep 1)");
  expect(closed.code).toBe(1);
  expect(closed.errors).toBe("fairlead: the output could not be written to its end: who read it has gone\n");
});
