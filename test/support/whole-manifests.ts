import { titleOf } from "../../src/domain/name.ts";
import type { AppliedKind } from "../../src/schema/kinds/registry.ts";

/** Good objects that have every field, if not all of them at once. */
const WHOLE: Readonly<Record<AppliedKind, readonly object[]>> = {
  service: [
    {
      name: "shop",
      labels: { team: "web" },
      annotations: { note: "a shop" },
      protocol: "HTTP2",
      policy: "shop",
      endpointDiscovery: "EDS",
      connectTimeout: "5s",
      drainTime: "30s",
      healthCheck: {
        http: {
          method: "GET",
          path: "/healthz?deep",
          host: "shop.example:80",
          headers: { "x-check": "yes" },
          expectedStatuses: [{ first: 200, last: 299 }, { first: 404 }],
          expectedBody: "ok",
          tls: { serverName: "shop.example", skipVerification: true },
        },
        interval: "5s",
        timeout: "1s",
        unhealthyThreshold: 3,
        healthyThreshold: 2,
        jitterPercent: 10,
        changingInterval: "1s",
        initialState: "PENDING",
      },
    },
    { name: "shop", healthCheck: { tcp: { send: "cGluZw==", expect: "cG9uZw==" } } },
    { name: "shop", healthCheck: { grpc: { service: "shop", authority: "shop", tls: {} } } },
  ],
  policy: [
    {
      name: "shop",
      algorithm: "RING_HASH",
      panicThreshold: 5,
      hashOn: [
        { header: "X-User" },
        { queryParameter: "user" },
        { all: [{ header: "a" }, { header: "b" }] },
        { cookie: { name: "who", ttl: "0s", path: "/a" } },
      ],
      leastRequest: { choiceCount: 3 },
      ringHash: { minimumRingSize: "5", maximumRingSize: 100 },
      maglev: { tableSize: 65_537 },
      circuitBreakers: { maxConnections: 5, maxPendingRequests: 2, maxRequests: 1, maxRetries: 4 },
      outlierDetection: {
        disabled: false,
        consecutive5xx: 4,
        interval: "10s",
        baseEjectionTime: "30s",
        maxEjectionPercent: 5,
      },
      damping: { disabled: false, halfLife: "30s", holdAbove: 3000, releaseBelow: 500, maxHold: "60s" },
    },
    { name: "shop", hashOn: [{ sourceIp: true }] },
  ],
  backend: [
    {
      name: "shop/shop-1",
      address: "10.0.4.7:9001",
      weight: 3,
      locality: { region: "r", zone: "z", subZone: "s" },
      priority: 1,
      metadata: { rack: "b" },
      checkPort: 80,
    },
    { name: "services/shop/backends/b", pipe: "/run/shop.sock" },
    { name: "projects/p/services/shop/backends/b", address: "[2001:db8::1]:9001" },
  ],
  listener: [
    {
      name: "web",
      fleet: "edge",
      address: "[::]:10000",
      idleTimeout: "5m",
      streamIdleTimeout: "0s",
      requestHeadersTimeout: "30s",
      drainTimeout: "5s",
    },
  ],
  route: [
    {
      name: "shop",
      listeners: ["web", "listeners/other"],
      hosts: ["shop.example", "*.Shop.example", "[::1]", "*"],
      rules: [
        {
          priority: 4,
          match: {
            path: { prefix: "/a/" },
            headers: [
              { name: "X-B", exact: "" },
              { name: "y", regex: "a+" },
              { name: ":path", present: true, invert: true },
              { name: "z", prefix: "a" },
              { name: "z", suffix: "a" },
              { name: "z", contains: "a" },
            ],
            methods: ["GET"],
          },
          to: [
            { service: "shop", weight: 1 },
            { service: "services/cart", weight: 2 },
          ],
          timeout: "5s",
          retry: { attempts: 2, on: ["5xx", "reset"], perTryTimeout: "1s", unsafe: true },
          rewrite: { prefix: "/c", host: "Other.example" },
        },
        { match: { path: { regex: "/x.*" } }, to: [{ service: "shop" }] },
        { match: { path: { exact: "/z" } }, to: [{ service: "shop" }] },
      ],
    },
  ],
  fleet: [
    {
      name: "edge",
      nodes: { cluster: "edge", metadata: { rack: "b" } },
      backendNetworks: ["10.0.0.0/8", "fd00::/8", "10.0.0.5:9001", "[::1]:80", "/run/shop/"],
    },
  ],
};

export const WHOLE_MANIFESTS: readonly { readonly kind: string; readonly [field: string]: unknown }[] = Object.entries(
  WHOLE,
).flatMap(([kind, objects]) => objects.map((object) => ({ kind: titleOf(kind as AppliedKind), ...object })));
