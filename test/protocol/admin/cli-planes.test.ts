import { writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { ServerCredentials } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type AdminServer, createAdminServer } from "../../../src/admin/admin-server.ts";
import { runCli } from "../../../src/cli/main.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { freePort } from "../../support/free-port.ts";
import { openPlaneContext, type PlaneContext, testContainment } from "../../support/plane-context.ts";
import { startTcpProxy } from "../../support/tcp-proxy.ts";
import { tempFolder } from "../../support/temp-folder.ts";

let context: PlaneContext;
let server: AdminServer;
let plane: string;
/** A process that is stopped: its kernel takes connections, and nothing is ever said on them. */
let silent: { readonly server: Server; readonly sockets: Socket[]; readonly address: string };
let nobody: string;

beforeEach(async () => {
  context = await openPlaneContext();
  const options = { context, logger: silentLogger, notReady: () => undefined, containment: testContainment() };
  server = createAdminServer(options);
  plane = await server.listen("127.0.0.1:0", ServerCredentials.createInsecure());
  const sockets: Socket[] = [];
  const listening = createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  silent = { server: listening, sockets, address: `127.0.0.1:${(listening.address() as AddressInfo).port}` };
  nobody = `127.0.0.1:${await freePort()}`;
});

afterEach(async () => {
  for (const socket of silent.sockets) socket.destroy();
  silent.server.close();
  await server.stop(1000);
  await context.close();
});

const run = (...argv: readonly string[]) => runTold(() => undefined, ...argv);

/** @param onPrinted Is told each time that something is printed. */
async function runTold(onPrinted: () => void, ...argv: readonly string[]) {
  let [stdout, stderr] = ["", ""];
  const begun = performance.now();
  const code = await runCli(argv, {
    stdout: {
      write: (text) => {
        stdout += text;
        onPrinted();
      },
    },
    stderr: { write: (text) => (stderr += text) },
    env: {},
    clock: systemClock,
    isTty: false,
  });
  return { code, stdout, stderr, tookMs: performance.now() - begun };
}

describe("a plane that hangs", () => {
  test.each([
    ["a call", ["status"]],
    ["a stream", ["watch"]],
    ["a long stream", ["export"]],
  ])("costs %s the stated time, and is told apart by the exit code", async (_, argv) => {
    const { code, stderr, tookMs } = await run("--server", silent.address, "--request-timeout", "400ms", ...argv);
    expect({ code, stderr }).toMatchObject({ code: 4, stderr: expect.stringContaining("--request-timeout") });
    expect(tookMs).toBeGreaterThan(350);
    expect(tookMs).toBeLessThan(5_000);
  });

  test("in the middle of a stream costs it too", async () => {
    await using wire = await startTcpProxy(Number(plane.split(":").at(-1)));
    const options = ["--server", `127.0.0.1:${wire.port}`, "--request-timeout", "600ms"];
    let begun = 0;
    const cutWire = () => {
      if (begun === 0) wire.cut();
      begun ||= performance.now();
    };
    const { code } = await runTold(cutWire, ...options, "watch", "--present", "-o", "json");
    expect(code).toBe(4);
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  test("is passed over when another one answers, as is one that is not there", async () => {
    const servers = `${nobody},${silent.address},${plane}`;
    const { code, stderr, stdout } = await run(
      "--server",
      servers,
      "--request-timeout",
      "1s",
      "get",
      "services",
      "-o",
      "json",
    );
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "[]\n", stderr: "" });
  });

  test("and others that are not there cost one deadline together", async () => {
    const servers = `${silent.address},${nobody},${silent.address}`;
    const { code, stderr, tookMs } = await run("--server", servers, "--request-timeout", "400ms", "status");
    expect({ code, stderr }).toMatchObject({ code: 4, stderr: expect.stringContaining(servers) });
    expect(tookMs).toBeLessThan(5_000);
  });
});

test("a dry run writes nothing; the journal names whom --actor says, and why", async () => {
  using folder = tempFolder();
  writeFileSync(join(folder.path, "shop.yaml"), "kind: Service\nname: shop\n");
  const apply = ["apply", "-f", folder.path, "--reason", "ticket 7"];
  const actor = ["--server", plane, "--actor", "deploy of web"];
  expect((await run(...actor, ...apply, "--dry-run", "--detailed-exitcode")).code).toBe(10);
  expect(await context.journal.list({ limit: 10 })).toEqual([]);
  expect((await run(...actor, ...apply)).code).toBe(0);
  expect((await run(...actor, ...apply, "--dry-run", "--detailed-exitcode")).code).toBe(0);
  expect(await context.journal.list({ limit: 10 })).toMatchObject([{ actor: "deploy of web", reason: "ticket 7" }]);
});
