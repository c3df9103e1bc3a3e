import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { expect, test } from "vitest";
import { addSettings, type Host, readSettings } from "../../../src/app/command-settings.ts";
import { SETTINGS } from "../../../src/app/config.ts";
import { tempFolder } from "../../support/temp-folder.ts";

function read(args: readonly string[], environment: Host["environment"] = {}) {
  const never = () => new Promise<never>(() => undefined);
  const target = { writableLength: 0, write: () => true };
  const host: Host = { environment, stdout: target, stderr: target, stopSignal: never, escaped: never };
  const command = addSettings(new Command("up"), SETTINGS);
  command.parse(args, { from: "user" });
  return readSettings(command, host);
}

test.each([
  'nats-password: "secret',
  "nats-password: *secret",
  "nats-password: &a\n- secret: {",
  "nats-password: secret: secret",
  "- secret",
])("what a configuration file that is no YAML holds is not repeated: %s", (text) => {
  using folder = tempFolder();
  const path = join(folder.path, "plane.yaml");
  writeFileSync(path, text);
  const result = read(["--config", path]);
  expect(result).toMatchObject({ complaints: [expect.stringContaining(path)] });
  expect(JSON.stringify(result)).not.toContain("secret");
});

test("an empty name of a configuration file is no absent one", () => {
  expect(read([], { FAIRLEAD_CONFIG: "" })).toMatchObject({ complaints: [expect.stringContaining("FAIRLEAD_CONFIG")] });
  expect(read(["--config", ""])).toMatchObject({ complaints: [expect.stringContaining("--config")] });
});
