/** Finds or fetches the real components that the tests run against, so that a missing one is reported before any test. */
import { findContainerEngine } from "./components/container-engine.ts";
import { ENVOY_VERSIONS, provideEnvoy } from "./components/envoy.ts";
import { provideGoClient, provideGrpcio, provideJavaClient } from "./components/grpc-clients.ts";
import { provideImages } from "./components/images.ts";
import { provideNatsServer } from "./components/nats-server.ts";
import { providePromtool } from "./components/promtool.ts";

const progress = (line: string) => console.log(`  … ${line}`);

try {
  for (const version of Object.values(ENVOY_VERSIONS)) {
    const envoy = provideEnvoy({ version, orOther: false, progress });
    console.log(`  ✓ Envoy ${envoy.version}  ${envoy.path} (${envoy.foundIn})`);
  }
  const server = provideNatsServer(progress);
  console.log(`  ✓ nats-server ${server.version}  ${server.path} (${server.foundIn})`);
  const promtool = providePromtool(progress);
  console.log(`  ✓ promtool ${promtool.version}  ${promtool.path} (${promtool.foundIn})`);
  const grpcio = provideGrpcio(progress);
  console.log(`  ✓ grpcio ${grpcio.version}  ${grpcio.path} (${grpcio.foundIn})`);
  const goClient = provideGoClient(progress);
  console.log(`  ✓ grpc-go client ${goClient.version}  ${goClient.path} (${goClient.foundIn})`);
  const javaClient = provideJavaClient(progress);
  console.log(`  ✓ grpc-java client ${javaClient.version}  ${javaClient.path} (${javaClient.foundIn})`);
  if (process.env.CI === "true") {
    const engine = findContainerEngine();
    console.log(`  ✓ container engine ${engine.version}, ${engine.compose.join(" ")}`);
    provideImages(progress);
    console.log("  ✓ images of the compose set-up");
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
