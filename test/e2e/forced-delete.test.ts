import { expect, test } from "vitest";
import { startBackend } from "../support/backend.ts";
import { eventually } from "../support/eventually.ts";
import { backend, manifest, policy, routeTo, service } from "../support/manifest.ts";
import { startStack } from "../support/stack.ts";
import { send } from "../support/traffic.ts";

/** Far below the 20 s for which one resource may wait for another; wide enough for a busy machine. */
const AT_ONCE_MS = 12_000;

test("a service that is deleted although routes lead to it answers 503 at once, and holds no wait up", async () => {
  await using shop = await startBackend("shop");
  await using stack = await startStack({ objects: [] });
  const hashing = policy("sticky", { algorithm: "RING_HASH", hashOn: [{ sourceIp: true }] });
  await stack.apply(hashing, service("shop", { policy: "sticky" }), backend("shop/a", shop.address), routeTo("shop"));
  const answers = (wanted: number) =>
    eventually(
      async () => (await send({ url: stack.url() })).status,
      (status) => status === wanted,
      { what: `clients get ${wanted}`, timeoutMs: 60_000 },
    );
  await answers(200);

  const startedAt = performance.now();
  await stack.plane.mustCli("delete", "service", "shop", "--force");
  await answers(503);
  await stack.plane.mustApply(manifest(service("other")), "--wait");
  expect(performance.now() - startedAt).toBeLessThan(AT_ONCE_MS);
});
