import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { MAX_NAMES, OTHERS } from "../../../src/runtime/named-counts.ts";
import { serviceCounter } from "../../../src/runtime/service-counter.ts";

test("a service has all its series from the start, and none once it is gone", async () => {
  const registry = new Registry();
  const services = new Set(["shop"]);
  const counter = serviceCounter({
    name: "checks_total",
    help: "Checks.",
    label: "outcome",
    values: ["pass", "fail"],
    services: () => services,
    registry,
  });
  const series = async () => (await registry.metrics()).split("\n").filter((line) => line.startsWith("checks_total{"));
  expect(await series()).toEqual([
    'checks_total{service="shop",outcome="pass"} 0',
    'checks_total{service="shop",outcome="fail"} 0',
  ]);
  counter.inc("shop", "fail");
  counter.inc("shop", "fail");
  expect(await series()).toContain('checks_total{service="shop",outcome="fail"} 2');
  services.delete("shop");
  expect(await series()).toEqual([]);
  // What ended late counts for nobody, and a service of the same name that comes later begins at 0.
  counter.inc("shop", "fail");
  expect(await series()).toEqual([]);
  services.add("shop");
  expect(await series()).toContain('checks_total{service="shop",outcome="fail"} 0');
});

test("beyond so many services, the others are counted together, and no count ever goes back", async () => {
  const registry = new Registry();
  const services = new Set(Array.from({ length: MAX_NAMES + 2 }, (_, i) => `s${i}`));
  const options = {
    name: "checks_total",
    help: "Checks.",
    label: "outcome",
    values: ["pass"],
    services: () => services,
  };
  const counter = serviceCounter({ ...options, registry });
  const series = async (service: string) =>
    (await registry.metrics()).split("\n").find((line) => line.includes(`{service="${service}",`));
  expect(await series(OTHERS)).toContain(" 0");
  const last = `s${MAX_NAMES + 1}`;
  for (const service of ["s0", `s${MAX_NAMES}`, last]) counter.inc(service, "pass");
  expect([await series("s0"), await series(last)]).toEqual([expect.stringContaining(" 1"), undefined]);
  expect(await series(OTHERS)).toContain(" 2");
  services.delete("s0");
  services.delete(`s${MAX_NAMES}`);
  expect([await series(last), await series(OTHERS)]).toEqual([
    expect.stringContaining(" 0"),
    expect.stringContaining(" 2"),
  ]);
  counter.inc(last, "pass");
  expect([await series(last), await series(OTHERS)]).toEqual([
    expect.stringContaining(" 1"),
    expect.stringContaining(" 2"),
  ]);
});
