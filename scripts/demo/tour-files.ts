/** The manifests of the tour in README.md, as a person would write them. */
import type { Slot } from "./slot.ts";

/** By their names: what runs at first, what the tour applies then, and the same with a mistake in it. */
export function tourFiles({ backends, listener }: Slot): Readonly<Record<"shop" | "next" | "mistake", string>> {
  const shop = `kind: Fleet
name: edge
---
kind: Service
name: shop
healthCheck: { http: { path: /healthz }, interval: 1s, timeout: 1s, unhealthyThreshold: 3, healthyThreshold: 1 }
drainTime: 10s
---
${backendsOf("shop", backends)}
kind: Listener
name: web
fleet: edge
address: ${listener}
---
kind: Route
name: shop
listeners: [web]
hosts: ["*"]
rules:
  - to: [{ service: shop }]
`;
  const next = `kind: Service
name: shop-next
---
${backendsOf("shop-next", backends)}
kind: Route
name: shop
listeners: [web]
hosts: ["*"]
rules:
  - to: [{ service: shop, weight: 90 }, { service: shop-next, weight: 10 }]
`;
  return { shop, next, mistake: next.replace("weight: 10", "wieght: 10") };
}

function backendsOf(service: string, backends: Slot["backends"]): string {
  return backends
    .filter((backend) => backend.service === service)
    .map(({ name, address }) => `kind: Backend\nname: ${service}/${name}\naddress: ${address}\n---`)
    .join("\n");
}
