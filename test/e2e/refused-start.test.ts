import { readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { printable } from "../../src/domain/printable.ts";
import { manifest, service } from "../support/manifest.ts";
import { runFairlead, startPlane } from "../support/plane.ts";
import { tempFolder } from "../support/temp-folder.ts";

const LISTEN = ["--xds", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--http", "127.0.0.1:0"];

test("a data directory that cannot be made is refused with its name", async () => {
  using folder = tempFolder();
  const file = join(folder.path, "file");
  writeFileSync(file, "");
  const data = join(file, "data");
  const result = await runFairlead(["up", "--data", data, ...LISTEN]);
  expect(result.code).toBe(1);
  expect(result.stderr).toContain(data);
});

test("what the error of a refused start quotes is shown as text, on one line", async () => {
  using folder = tempFolder();
  const attack = "x\u001b[2K\r\u202e\nfairlead up: all is well";
  const config = join(folder.path, "plane.yaml");
  const refused = async (text: string, ...args: readonly string[]) => {
    writeFileSync(config, text);
    const result = await runFairlead(["up", "--config", config, ...LISTEN, ...args]);
    expect(result.stderr).toBe(`${printable(result.stderr.slice(0, -1))}\n`);
    return result;
  };
  const data = join(config, attack);
  expect(await refused("", "--data", data)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(printable(data)),
  });
  expect(await refused(`${JSON.stringify(attack)}: 1`)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(printable(attack)),
  });
  const noYaml = await refused(`data: [\n${JSON.stringify(attack)}: ]]\u001b[2K\n`);
  expect(noYaml).toMatchObject({ code: 2, stderr: expect.stringContaining(config) });
});

test("a data directory that a newer release wrote is refused, and left as it is", async () => {
  await using plane = await startPlane();
  await plane.stop();
  const files = readdirSync(plane.dataFolder).filter((file) => file.endsWith(".db") || file.endsWith(".sqlite"));
  expect(files).toHaveLength(1);
  const database = new DatabaseSync(join(plane.dataFolder, files[0] ?? ""));
  database.exec("PRAGMA user_version = 1000");
  database.close();
  const result = await runFairlead(["up", "--data", plane.dataFolder, ...LISTEN]);
  expect(result.code).toBe(1);
  expect(result.stderr).toContain("newer release");
});

test("a second plane on the same data directory is refused, and the first one works on", async () => {
  await using plane = await startPlane();
  const second = await runFairlead(["up", "--data", plane.dataFolder, ...LISTEN]);
  expect(second.code).toBe(1);
  expect(second.stderr).toContain(plane.dataFolder);
  await plane.mustApply(manifest(service("shop")));
});

test.each(["xds", "admin", "http"])(
  "an address in use is refused with the option --%s that names it",
  async (option) => {
    using folder = tempFolder();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const bound = server.address();
    const address = typeof bound === "object" && bound !== null ? `127.0.0.1:${bound.port}` : "";
    const result = await runFairlead(["up", "--data", join(folder.path, "data"), ...LISTEN, `--${option}`, address]);
    await new Promise((resolve) => server.close(resolve));
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(address);
    expect(result.stderr).toMatch(/in use/);
  },
);

test("an address beyond this machine needs --insecure", async () => {
  using folder = tempFolder();
  const result = await runFairlead(["up", "--data", join(folder.path, "data"), ...LISTEN, "--xds", "0.0.0.0:0"]);
  expect(result.code).toBe(2);
  expect(result.stderr).toContain("--insecure");
});

test("a command that cannot reach the plane says so and exits with 4", async () => {
  const result = await runFairlead(["status"], { env: { FAIRLEAD_SERVER: "127.0.0.1:1" } });
  expect(result.code).toBe(4);
  expect(result.stderr).toContain("127.0.0.1:1");
});

test("a wrong option exits with 2", async () => {
  expect((await runFairlead(["status", "--nonsense"])).code).toBe(2);
  expect((await runFairlead(["nonsense"])).code).toBe(2);
});
