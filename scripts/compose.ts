/**
 * `npm run compose`: three NATS servers, two planes, two Envoys and a small shop in containers, from this checkout. Ctrl-C
 * stops them; what they have stored stays for the next time. `npm run compose -- down -v` removes it all; any other words
 * go to compose as they are.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { findContainerEngine } from "./components/container-engine.ts";
import { provideImages } from "./components/images.ts";
import { buildPlaneImage } from "./components/plane-image.ts";
import { prepareSecrets } from "./compose/prepare.ts";

const folder = join(import.meta.dirname, "../compose");
const words = process.argv.slice(2);

try {
  const engine = findContainerEngine();
  if (words.length === 0) {
    provideImages((line) => console.log(`  … ${line}`));
    console.log("  … building fairlead:local");
    buildPlaneImage();
    prepareSecrets(join(folder, "run"));
  }
  const [program, ...args] = engine.compose;
  const file = ["--file", join(folder, "compose.yaml")];
  const child = spawn(program, [...args, ...file, ...(words.length === 0 ? ["up"] : words)], { stdio: "inherit" });
  // Compose hears Ctrl-C itself and ends when all is stopped.
  process.on("SIGINT", () => undefined);
  child.on("exit", (code) => process.exit(code ?? 1));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
