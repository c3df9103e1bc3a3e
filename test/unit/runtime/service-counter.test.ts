import { Registry } from "prom-client";
import { expect, test } from "vitest";
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
