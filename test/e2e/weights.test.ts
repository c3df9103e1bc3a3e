import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { startBackend } from "../support/backend.ts";
import { eventually } from "../support/eventually.ts";
import { backend, policy, route, routeTo, service } from "../support/manifest.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { sendMany, Traffic, tally } from "../support/traffic.ts";

test("one worker spreads a round robin exactly by the backends' weights", async () => {
  await using one = await startBackend("one");
  await using two = await startBackend("two");
  await using three = await startBackend("three");
  await using stack = await startStack({
    concurrency: 1,
    objects: [
      service("shop"),
      policy("shop", { algorithm: "ROUND_ROBIN" }),
      backend("shop/one", one.address, { weight: 1 }),
      backend("shop/two", two.address, { weight: 2 }),
      backend("shop/three", three.address, { weight: 4 }),
      routeTo("shop"),
    ],
  });
  expect(await hundredRounds(stack, { one: 1, two: 2, three: 4 })).toEqual({ one: 100, two: 200, three: 400 });

  await stack.apply(backend("shop/one", one.address, { weight: 8 }));
  expect(await hundredRounds(stack, { one: 8, two: 2, three: 4 })).toEqual({ one: 800, two: 200, three: 400 });
});

test.each(["1.40.0", "1.36.4"])(
  "Envoy %s takes a weight that encoding profile 2 leaves out for 1",
  async (envoyVersion) => {
    await using one = await startBackend("one");
    await using three = await startBackend("three");
    const weights = (first: number, second: number) => [
      backend("shop/one", one.address, { weight: first }),
      backend("shop/three", three.address, { weight: second }),
    ];
    await using stack = await startStack({
      concurrency: 1,
      envoyVersion,
      objects: [service("shop"), policy("shop", { algorithm: "ROUND_ROBIN" }), ...weights(1, 4), routeTo("shop")],
    });
    expect(await hundredRounds(stack, { one: 1, three: 4 })).toEqual({ one: 100, three: 400 });
    await stack.plane.mustCli("upgrade", "--to-profile", "2", "--wait");
    expect(await stack.plane.mustCli("upgrade")).toContain("encoding profile 2");
    expect(await hundredRounds(stack, { one: 1, three: 4 })).toEqual({ one: 100, three: 400 });

    await stack.apply(...weights(4, 1));
    expect(await hundredRounds(stack, { one: 4, three: 1 })).toEqual({ one: 400, three: 100 });
    await stack.apply(...weights(1, 1));
    expect(await hundredRounds(stack, { one: 1, three: 1 })).toEqual({ one: 100, three: 100 });
  },
);

test("two workers hold the weights within what chance allows", async () => {
  await using light = await startBackend("light");
  await using heavy = await startBackend("heavy");
  await using stack = await startStack({
    concurrency: 2,
    objects: [
      service("shop"),
      backend("shop/light", light.address, { weight: 1 }),
      backend("shop/heavy", heavy.address, { weight: 4 }),
      routeTo("shop"),
    ],
  });
  await using traffic = new Traffic({ url: stack.url() }, 8);
  const answers = await traffic.more(2_000);
  expectShare({ count: tally(answers)["light"] ?? 0, of: answers.length, share: 0.2 });
  expect(traffic.failures()).toEqual([]);
});

test("a rule splits its requests over services by weight", async () => {
  await using current = await startBackend("current");
  await using next = await startBackend("next");
  await using stack = await startStack({
    objects: [
      service("current"),
      service("next"),
      backend("current/a", current.address),
      backend("next/a", next.address),
      route("shop", [
        {
          to: [
            { service: "current", weight: 90 },
            { service: "next", weight: 10 },
          ],
        },
      ]),
    ],
  });
  const answers = await sendMany({ url: stack.url() }, 2_000);
  expectShare({ count: tally(answers)["next"] ?? 0, of: 2_000, share: 0.1 });
  expect(tally(answers)["current"]).toBe(2_000 - (tally(answers)["next"] ?? 0));
});

/**
 * How a hundred rounds of requests are spread, once the rounds follow the weights.
 *
 * The weights are powers of two: Envoy adds up their reciprocals as floating-point numbers, and with thirds the order
 * within a round changes now and then, so that some hundred rounds have one request more or less. The count begins
 * when ten rounds have followed the weights: a worker may get them after the acknowledgement of the main thread, and
 * the first round may have another order than all later ones.
 */
async function hundredRounds(stack: Stack, weights: Record<string, number>): Promise<Record<string, number>> {
  const length = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const spread = async (rounds: number) => tally(await sendMany({ url: stack.url() }, rounds * length));
  const due = Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, weight * 10]));
  await eventually(
    () => spread(10),
    (seen) => isDeepStrictEqual(seen, due),
    { what: "the weights" },
  );
  return await spread(100);
}

/** Fails once in some millions of runs: the count may be five standard deviations of a binomial draw away. */
function expectShare({ count, of, share }: { count: number; of: number; share: number }): void {
  const deviation = Math.sqrt(of * share * (1 - share));
  expect(Math.abs(count - of * share), `${count} of ${of}`).toBeLessThan(5 * deviation);
}
