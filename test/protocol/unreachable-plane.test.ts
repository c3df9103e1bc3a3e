import { createServer as createWebServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { Server as GrpcServer, ServerCredentials } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { runCli } from "../../src/cli/main.ts";
import { unreachableText } from "../../src/cli/unreachable.ts";
import { systemClock } from "../../src/runtime/clock.ts";

/** What a command says and ends with, asked of whatever is at an address. */
async function status(server: string) {
  let [stdout, stderr] = ["", ""];
  const io = {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    env: {},
    clock: systemClock,
    isTty: false,
  };
  const code = await runCli(["status", "--server", server], io);
  return { code, stdout, stderr };
}

async function at(server: Server, run: (address: string) => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  await run(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  await new Promise((resolve) => server.close(resolve));
}

const cannotReach = (server: string, why: string) => ({
  code: 4,
  stdout: "",
  stderr: `cannot reach the plane at ${server}: ${why}\n`,
});
const other = "give another address with --server HOST:PORT or FAIRLEAD_SERVER";
const port = "its admin API is on port 18001 unless --admin says otherwise";

test("nothing listens", async () => {
  const why = `nothing listens there; start one with \`fairlead up\`, or ${other}`;
  expect(await status("127.0.0.1:1")).toEqual(cannotReach("127.0.0.1:1", why));
});

test("a name without an address", async () => {
  const server = "no-such-plane.invalid:18001";
  expect(await status(server)).toEqual(cannotReach(server, `the name does not resolve to an address; ${other}`));
});

test("a web server, as the plane's own HTTP port is one", async () => {
  await at(
    createWebServer((_, response) => response.end("hello")),
    async (server) => {
      expect(await status(server)).toEqual(
        cannotReach(server, `what listens there is not the admin API of a plane; ${port}`),
      );
    },
  );
});

test("another gRPC server, as the plane's xDS port is one", async () => {
  const grpc = new GrpcServer();
  const bound = await new Promise<number>((resolve, reject) => {
    const done = (error: Error | null, found: number) => (error === null ? resolve(found) : reject(error));
    grpc.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), done);
  });
  const why = `what answers there does not know this command; ${port}, and a plane may be older than this program`;
  expect(await status(`127.0.0.1:${bound}`)).toEqual(cannotReach(`127.0.0.1:${bound}`, why));
  grpc.forceShutdown();
});

test("a server that hangs up", async () => {
  await at(
    createServer((socket) => socket.destroy()),
    async (server) => {
      const { code, stdout, stderr } = await status(server);
      expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
      expect(stderr).toMatch(/^cannot reach the plane at \S+: [^;\n]+; start one with `fairlead up`, or [^\n]+\n$/);
    },
  );
});

test("one that does not answer, of which more is shown in admin/cli-planes.test.ts", () => {
  const details =
    "Deadline exceeded after 10.010s,name resolution: 0.037s,metadata filters: 0.002s,Waiting for LB pick";
  expect(unreachableText("10.0.0.1:18001", 4, details)).toBe(
    `cannot reach the plane at 10.0.0.1:18001: no answer within --request-timeout; it may be overloaded or cut off: try again, or ${other}`,
  );
});
