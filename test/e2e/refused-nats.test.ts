import { createServer } from "node:net";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { StoredObjectSchema } from "../../src/gen/fairlead/store/v1/stored_object_pb.ts";
import { subjectsOf } from "../../src/nats/subjects.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { type NatsCluster, startNats } from "../support/nats.ts";
import { runFairlead, startPlane } from "../support/plane.ts";
import { tempFolder } from "../support/temp-folder.ts";

const LISTEN = ["--xds", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--http", "127.0.0.1:0"];
const CONFIG = `
  accounts {
    A { jetstream: enabled, users: [
      { user: all, password: all },
      { user: few, password: few, permissions: { publish: { deny: ["$JS.FC.>", "fairlead.>"] } } } ] }
    B { users: [ { user: without, password: without } ] }
  }`;

let nats: NatsCluster;
beforeAll(async () => {
  nats = await startNats({ size: 1, config: CONFIG });
});
afterAll(() => nats?.stop());

/** Each message is one line that begins with the command. */
async function refused(...args: readonly string[]): Promise<string> {
  const { code, stderr } = await runFairlead([
    "up",
    "--nats-replicas",
    "1",
    ...LISTEN,
    ...args,
    "--log-level",
    "fatal",
  ]);
  expect(code, stderr).toBe(1);
  expect(stderr).toMatch(/^fairlead up: [^\n]+\n$/);
  return stderr;
}

const as = (user: string, password = user) => nats.urls[0]?.replace("//", `//${user}:${password}@`) ?? "";

async function administer<T>(run: (api: Awaited<ReturnType<typeof jetstreamManager>>) => Promise<T>): Promise<T> {
  const connection = await connect({ servers: nats.urls[0] ?? "", user: "all", pass: "all" });
  try {
    return await run(await jetstreamManager(connection));
  } finally {
    await connection.close();
  }
}

/** A server that says something at once, and answers pings. */
async function startTalker(greeting: string): Promise<{ address: string } & Disposable> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      if (data.toString().includes("PING")) socket.write("PONG\r\n");
    });
    socket.write(greeting);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { address: `127.0.0.1:${port}`, [Symbol.dispose]: () => server.close() };
}

describe("fairlead up --nats says what it found and what it needs", () => {
  test("when nobody listens there", async () => {
    const address = `127.0.0.1:${await freePort()}`;
    expect(await refused("--nats", address)).toContain(`no NATS server can be reached at ${address}`);
  });

  test("when it is no URL of a NATS server", async () => {
    const { code, stderr } = await runFairlead(["up", "--nats", "http://127.0.0.1", ...LISTEN]);
    expect(code).toBe(2);
    expect(stderr).toContain("nats://");
  });

  test("when the server there is not NATS", async () => {
    using other = await startTalker("SSH-2.0-OpenSSH_9.2\r\n");
    expect(await refused("--nats", other.address)).toContain(other.address);
  });

  test("when the server is too old", async () => {
    const info = { server_id: "A", version: "2.11.9", proto: 1, headers: true, max_payload: 1 << 20, jetstream: true };
    using old = await startTalker(`INFO ${JSON.stringify(info)}\r\n`);
    expect(await refused("--nats", old.address)).toMatch(/nats-server 2\.11\.9; 2\.12 or later is needed/);
  });

  test("when the login is refused, without showing the password", async () => {
    const message = await refused("--nats", as("all", "wrong"));
    expect(message).toContain("refused the login");
    expect(message).not.toContain("wrong");
  });

  test("when a file of the login cannot be read", async () => {
    using folder = tempFolder();
    const file = join(folder.path, "absent.creds");
    expect(await refused("--nats", nats.urls.join(), "--nats-creds", file)).toContain(file);
  });

  test("when the account has no JetStream", async () => {
    expect(await refused("--nats", as("without"))).toContain("no JetStream");
  });

  test("when permissions are missing, all of them at once", async () => {
    expect(await refused("--nats", as("few"))).toContain(
      'publish "$JS.FC.KV_fairlead.>", publish "fairlead.fairlead.>"',
    );
  });

  test("when a single server is asked for three copies", async () => {
    const message = await refused("--nats", as("all"), "--nats-replicas", "3");
    expect(message).toContain("3 copies need as many servers (see --nats-replicas)");
  });

  test("when the bucket is another application's, a newer release's, or lost its copies", async () => {
    const make = (bucket: string, metadata: Record<string, string>) =>
      administer((api) =>
        api.streams.add({ name: `KV_${bucket}`, subjects: [`$KV.${bucket}.>`], max_msgs_per_subject: 1, metadata }),
      );
    await make("songs", {});
    expect(await refused("--nats", as("all"), "--nats-bucket", "songs")).toContain("another application");
    await make("newer", { "fairlead.application": "state", "fairlead.schema": "999" });
    expect(await refused("--nats", as("all"), "--nats-bucket", "newer")).toContain("newer release");
    await make("copies", { "fairlead.application": "state", "fairlead.schema": "1" });
    expect(await refused("--nats", as("all"), "--nats-bucket", "copies", "--nats-replicas", "3")).toContain(
      "num_replicas 1, but needs 3",
    );
  });

  test("when another plane on the bucket has the name already, for as long as it is heard", async () => {
    const shared = { nats: [as("all")], bucket: "names", replica: "twin" };
    const again = ["--nats", as("all"), "--nats-bucket", "names", "--replica", "twin"];
    await using first = await startPlane(shared);
    expect(await refused(...again)).toMatch(
      /another plane named twin has served the bucket names since 2\S+Z; give this one another name with --replica/,
    );
    await first.kill9();
    await first.restart();
    expect(await refused(...again)).toContain("another plane named twin");

    process.kill(first.pid(), "SIGSTOP");
    await using second = await startPlane(shared);
    process.kill(first.pid(), "SIGCONT");
    await eventually(
      () => Promise.all([first, second].map((plane) => plane.mustCli("status"))),
      (all) => all.every((text) => text.includes("another plane has this one's name")),
      { what: "both say that they have one name" },
    );
  });

  test("not, but kept from becoming ready, when a value was written by a newer release", async () => {
    const bucket = "values";
    await using plane = await startPlane({ nats: [as("all")], bucket });
    await plane.stop();
    const value = toBinary(StoredObjectSchema, create(StoredObjectSchema, { schema: 99, kind: "service" }));
    const connection = await connect({ servers: nats.urls[0] ?? "", user: "all", pass: "all" });
    await connection.request(subjectsOf(bucket).state("projects/default/services/shop"), value);
    await connection.close();
    await plane.restart();
    const ready = await fetch(`http://${plane.addresses.http}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).toContain("services/shop");
    expect(await plane.mustCli("status")).toContain("newer release");
  });
});
