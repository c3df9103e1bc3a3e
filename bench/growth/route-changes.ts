/** What the change of one route costs within the plane, as more is there that it does not concern: from its commit to resources. */
import { sinkInto } from "../../src/app/resource-sink.ts";
import { Mirror } from "../../src/control/mirror.ts";
import { Publisher } from "../../src/control/publisher.ts";
import { type Kind, storeKey } from "../../src/domain/name.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { messageFromJson } from "../../src/schema/object-json.ts";
import { encodeStored } from "../../src/schema/stored-object.ts";
import { ResourceCache } from "../../src/xds/server/library.ts";
import { median } from "../fanout/statistics.ts";

export interface RoutePoint {
  /** Fleets, each with a listener and ten routes; services of the same fleet, behind another listener; routes. */
  readonly axis: "fleets" | "services" | "routes of other fleets" | "routes of the same listener";
  readonly value: number;
}

export interface RouteCost extends RoutePoint {
  readonly msPerChange: number;
}

const AXES: readonly RoutePoint["axis"][] = [
  "fleets",
  "services",
  "routes of other fleets",
  "routes of the same listener",
];
const VALUES = { full: [10, 100, 1_000], quick: [10, 1_000], smoke: [2] } as const;
const CHANGES = { full: 10, quick: 10, smoke: 3 } as const;
const FEW = 10;
/** Rules of one route. */
const MANY = 50;

export function measureRouteChanges(size: keyof typeof VALUES): RouteCost[] {
  return AXES.flatMap((axis) => VALUES[size].map((value) => measure({ axis, value }, CHANGES[size])));
}

function measure(point: RoutePoint, changes: number): RouteCost {
  const plane = new InProcess(contentOf(point));
  const times = Array.from({ length: changes }, (_, i) => plane.change("route", route("changing", "web", FEW, i + 1)));
  // The first half is for compilers.
  return { ...point, msPerChange: median(times.slice(changes >> 1)) };
}

type Content = readonly (readonly [Kind, { readonly name: string } & Record<string, unknown>])[];

function contentOf({ axis, value }: RoutePoint): Content {
  const count = (of: RoutePoint["axis"], otherwise: number) => (axis === of ? value : otherwise);
  const fleets = count("fleets", 2);
  const others = count("routes of other fleets", FEW);
  const services = count("services", FEW);
  const own = count("routes of the same listener", FEW);
  const list = (length: number, of: (i: number) => Content[number]) => Array.from({ length }, (_, i) => of(i));
  const backends = (i: number) =>
    list(FEW, (n) => ["backend", { name: `s${i}/b${n}`, address: `10.0.${i >> 8}.${i & 255}:${n + 1}` }]);
  return [
    ...list(fleets, (i) => ["fleet", { name: `f${i}` }]),
    ...list(fleets, (i) => ["listener", { name: `l${i}`, fleet: `f${i}`, address: "0.0.0.0:80" }]),
    ["listener", { name: "web", fleet: "f0", address: "0.0.0.0:81" }],
    ...list(services, (i) => ["service", { name: `s${i}` }]),
    ...Array.from({ length: services }, (_, i) => backends(i)).flat(),
    ...list(Math.ceil(services / MANY), (i) => ["route", route(`all${i}`, "l0", services, 0, i * MANY)]),
    ["route", route("changing", "web", FEW)],
    ...list(own - 1, (i) => ["route", route(`own${i}`, "web", 1)]),
    ...Array.from({ length: fleets - 1 }, (_, f) =>
      list(Math.ceil(others / (axis === "fleets" ? 1 : fleets - 1)), (i) => [
        "route",
        route(`other${f}-${i}`, `l${f + 1}`, 1),
      ]),
    ).flat(),
  ];
}

/** A route of a host of its own, with a rule for each of some services, as many as a route may have. */
function route(name: string, listener: string, services: number, timeoutMs = 0, first = 0) {
  const rules = Array.from({ length: Math.min(services - first, MANY) }, (_, i) => ({
    match: { path: { prefix: `/s${first + i}` } },
    to: [{ service: `s${first + i}` }],
    timeout: `${timeoutMs / 1000}s`,
  }));
  return { name, listeners: [listener], hosts: [`${name}.example`], rules };
}

/** The way of a commit into the cache, without store and streams. */
class InProcess {
  readonly #mirror = new Mirror();
  #position = 1;

  constructor(content: Content) {
    const entries = content.map(([kind, json]) => this.#entry(kind, json));
    this.#mirror.fold({ kind: "state", entries, revision: { epoch: 1, position: 1 }, synced: true });
    new Publisher({
      mirror: this.#mirror,
      sink: sinkInto(new ResourceCache()),
      clock: systemClock,
      onFleetsChanged: () => undefined,
      onPublished: () => undefined,
    }).start();
  }

  /** The milliseconds that it took. */
  change(kind: Kind, json: Content[number][1]): number {
    this.#position++;
    const changes = [this.#entry(kind, json)];
    const startedAt = performance.now();
    this.#mirror.fold({ kind: "commit", revision: { epoch: 1, position: this.#position }, at: 0, changes });
    return performance.now() - startedAt;
  }

  #entry(kind: Kind, json: Content[number][1]) {
    const read = messageFromJson(kind, { ...json, meta: { uid: json.name, generation: "1" } });
    if (!read.ok) throw new Error(JSON.stringify(read.violations));
    const revision = { epoch: 1, position: this.#position };
    return { key: storeKey(kind, json.name), value: encodeStored(kind, read.message), revision };
  }
}
