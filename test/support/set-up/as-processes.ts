/** The files of the compose set-up, run as plain processes on loopback: only addresses and folders are others. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { prepareSecrets } from "../../../scripts/compose/prepare.ts";
import { startBackend } from "../backend.ts";
import { startEnvoy } from "../envoy.ts";
import { freePort } from "../free-port.ts";
import { type NatsPlace, startNats } from "../nats.ts";
import { runFairlead, startPlane } from "../plane.ts";
import { tempFolder } from "../temp-folder.ts";
import { EDGES, type Part, PLANES, SERVERS, type SetUp, SHOPS } from "./set-up.ts";

const folder = join(import.meta.dirname, "../../../compose");

export async function startProcesses(): Promise<SetUp> {
  const disposables = new AsyncDisposableStack();
  try {
    const own = disposables.use(tempFolder());
    const secrets = join(own.path, "run");
    prepareSecrets(secrets);
    const read = (file: string) => readFileSync(join(folder, file), "utf8").replaceAll("/run/secrets", secrets);

    const nats = disposables.use(
      await startNats({ size: 3, configOf: (place) => natsConf(read("nats.conf"), place, secrets) }),
    );
    const config = join(own.path, "plane.yaml");
    writeFileSync(config, planeYaml(read("plane.yaml"), nats.urls));
    const nkey = ["--nats-nkey", join(secrets, "provisioner.nk")];
    const provisioned = await runFairlead(["provision", "--config", config, ...nkey]);
    if (provisioned.code !== 0) throw new Error(`fairlead provision: ${provisioned.stderr}`);
    const planes = new Map(
      await Promise.all(
        PLANES.map(async (replica) => [replica, disposables.use(await startPlane({ config, replica }))] as const),
      ),
    );
    const shops = await Promise.all(SHOPS.map(async (name) => disposables.use(await startBackend(name))));
    const port = await freePort();
    const xds = [...planes.values()].map(({ addresses }) => addresses.xds).join(",");
    const edges = await Promise.all(
      EDGES.map(async (nodeId) => {
        const identity = ["--node-id", nodeId, "--fleet", "edge", "--xds", xds];
        const { stdout: bootstrap } = await runFairlead(["bootstrap", ...identity]);
        return disposables.use(await startEnvoy({ bootstrap }));
      }),
    );

    const planeOf = (name: string) => {
      const plane = planes.get(name as (typeof PLANES)[number]);
      if (plane === undefined) throw new Error(`there is no ${name}`);
      return plane;
    };
    const partOf = (part: Part) => {
      const server = nats.servers.find(({ name }) => name === part);
      if (server !== undefined) return { kill: () => server.kill(), start: () => server.restart() };
      const plane = planeOf(part);
      return { kill: () => plane.kill9(), start: () => plane.restart() };
    };
    return {
      // Both edges listen on the one port; the kernel spreads the connections.
      urls: [`http://127.0.0.1:${port}/`],
      shop: shopYaml(
        read("shop.yaml"),
        shops.map(({ address }) => address),
        port,
      ),
      cli: (plane, args, input) => {
        const env = { FAIRLEAD_SERVER: planeOf(plane).addresses.admin };
        return runFairlead(args, { env, ...(input !== undefined && { input }) });
      },
      kill: (part) => partOf(part).kill(),
      start: (part) => partOf(part).start(),
      logs: () => {
        const servers = nats.servers.map(({ child }) => child.logTail(15));
        const others = [...planes.values(), ...edges].map((child) => child.log().split("\n").slice(-15).join("\n"));
        return [...servers, ...others].join("\n---\n");
      },
      [Symbol.asyncDispose]: () => disposables.disposeAsync(),
    };
  } catch (error) {
    await disposables.disposeAsync();
    throw error;
  }
}

function natsConf(text: string, { name, home, own, ports }: NatsPlace, secrets: string): string {
  return SERVERS.reduce(
    (conf, server, i) => conf.replace(`${server}:6222`, `127.0.0.1:${ports[i]?.cluster}`),
    text
      .replace("$SERVER_NAME", name)
      .replace("0.0.0.0:4222", `127.0.0.1:${own.client}`)
      .replace("127.0.0.1:8222", `127.0.0.1:${own.monitor}`)
      .replace("0.0.0.0:6222", `127.0.0.1:${own.cluster}`)
      .replace('"/data"', `"${home}"`)
      .replace(/include ".*"/, readFileSync(join(secrets, "users.conf"), "utf8")),
  );
}

function planeYaml(text: string, urls: readonly string[]): string {
  const servers = urls.map((url) => url.replace("nats:", "tls:")).join(",");
  return text.replace(/^nats: .*/m, `nats: ${servers}`);
}

function shopYaml(text: string, addresses: readonly string[], port: number): string {
  return addresses
    .reduce((yaml, address, i) => yaml.replace(`172.31.77.${101 + i}:8080`, address), text)
    .replace("0.0.0.0:10000", `127.0.0.1:${port}`);
}
