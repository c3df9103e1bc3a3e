import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ENVOY_VERSIONS, provideEnvoy } from "../../scripts/components/envoy.ts";
import { resourcesOf } from "../../src/resources/content.ts";
import { derive } from "../../src/resources/derive.ts";
import { goldenCases, goldenState } from "../support/golden-cases.ts";
import { staticBootstrap } from "../support/static-bootstrap.ts";
import { tempFolder } from "../support/temp-folder.ts";

describe.each(Object.values(ENVOY_VERSIONS))("Envoy %s", (version) => {
  test.each(goldenCases())("takes the resources of %s", (file) => {
    const { path: program } = provideEnvoy({ version, orOther: false, progress: () => {} });
    using folder = tempFolder();
    const config = join(folder.path, "config.json");
    const state = goldenState(file);
    for (const { name: fleet } of state.all("fleet")) {
      const resources = [...resourcesOf(derive(state, { fleet, level: "base" }))];
      writeFileSync(config, JSON.stringify(staticBootstrap(resources)));
      const output = execFileSync(program, ["--mode", "validate", "-c", config], { encoding: "utf8", stdio: "pipe" });
      expect(output).toContain("OK");
    }
  });
});
