/** The compose set-up in containers of its own, beside any that somebody has started by hand. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DockerComposeEnvironment, Wait } from "testcontainers";
import { findContainerEngine } from "../../../scripts/components/container-engine.ts";
import { provideImages } from "../../../scripts/components/images.ts";
import { buildPlaneImage } from "../../../scripts/components/plane-image.ts";
import { output } from "../../../scripts/components/search.ts";
import { prepareSecrets } from "../../../scripts/compose/prepare.ts";
import { runProgram } from "../plane.ts";
import { EDGES, PLANES, SERVERS, type SetUp, SHOPS } from "./set-up.ts";

const folder = join(import.meta.dirname, "../../../compose");
const PROJECT = "fairlead-test";
/** Not the one of `npm run compose`. */
const NETWORK = "172.31.78";
/** Any free ones. */
const PORTS = ["PLANE_A_HTTP", "PLANE_B_HTTP", "EDGE_1", "EDGE_2"];

export async function startContainers(): Promise<SetUp> {
  const isOld = findContainerEngine().compose[0] === "docker-compose";
  provideImages(() => undefined);
  buildPlaneImage();
  prepareSecrets(join(folder, "run"));
  // What stands guard over forgotten containers is an image of its own, which not every engine can fetch.
  process.env["TESTCONTAINERS_RYUK_DISABLED"] = "true";
  const ports = Object.fromEntries(PORTS.map((name) => [`FAIRLEAD_${name}_PORT`, "0"]));
  const environment = await new DockerComposeEnvironment(folder, "compose.yaml")
    .withEnvironment({ FAIRLEAD_NETWORK: NETWORK, ...ports })
    .withProjectName(PROJECT)
    .withClientOptions(isOld ? { executable: { standalone: true } } : {})
    .withDefaultWaitStrategy(Wait.forLogMessage(/\S/))
    .up([...SERVERS, "provision", ...PLANES, ...EDGES, ...SHOPS]);

  // Testcontainers knows the names that compose 2 gives, and leaves those of compose 1 as they are.
  const container = (part: string) => environment.getContainer(isOld ? `${PROJECT}_${part}_1` : `${part}-1`);
  const mapped = (part: string, port: number) => `127.0.0.1:${container(part).getMappedPort(port)}`;
  const docker = (...args: readonly string[]) => output("docker", args);
  return {
    urls: EDGES.map((edge) => `http://${mapped(edge, 10_000)}/`),
    shop: readFileSync(join(folder, "shop.yaml"), "utf8").replaceAll("172.31.77", NETWORK),
    // From inside: the admin API is open to nobody else.
    cli: (plane, args, input) =>
      runProgram(["docker", "exec", "--interactive", container(plane).getId(), "fairlead", ...args], {
        ...(input !== undefined && { input }),
      }),
    kill: async (part) => void docker("kill", "--signal", "KILL", container(part).getId()),
    start: async (part) => void docker("start", container(part).getId()),
    logs: () => logsOf([...SERVERS, ...PLANES, ...EDGES].map((part) => [part, container(part).getId()])),
    [Symbol.asyncDispose]: async () => {
      await environment.down({ removeVolumes: true, timeout: 0 });
    },
  };
}

function logsOf(containers: readonly (readonly [string, string])[]): string {
  const logs = containers.map(
    ([part, id]) => `--- ${part} ---\n${output("sh", ["-c", `docker logs --tail 15 ${id} 2>&1`])}`,
  );
  return logs.join("\n");
}
