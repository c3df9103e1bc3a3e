/** What one of everything costs: what `npm run bench -- growth` finds, and what the sizing calculates with. */
import type { Figures } from "../fanout/trial.ts";
import { leastSquares } from "./least-squares.ts";
import type { Point } from "./points.ts";

export interface UnitCosts {
  /** Of each change on each replica: the call, the commit, the derivation. */
  readonly cpuMsPerChange: number;
  /** More for each backend of the service that changes. */
  readonly cpuUsPerBackendOfChange: number;
  /** Of each message, its acknowledgement included. */
  readonly cpuUsPerPush: number;
  /** More for each KB of the message. */
  readonly cpuUsPerPushedKb: number;
  /** Size of a message without endpoints, and more for each endpoint. */
  readonly kbPerMessage: number;
  readonly kbPerEndpoint: number;
  /** Of a proxy that connects, and more for each resource it gets. */
  readonly connectCpuMs: number;
  readonly connectCpuUsPerResource: number;
  /** Resident memory of a replica without anything. */
  readonly baseMb: number;
  readonly kbPerBackend: number;
  readonly kbPerService: number;
  readonly kbPerProxy: number;
  /** More for each resource that a proxy holds. */
  readonly kbPerProxyAndResource: number;
}

export interface Measured {
  readonly point: Point;
  readonly figures: Figures;
}

export function unitCosts(measured: readonly Measured[]): UnitCosts {
  const ticks = measured.filter(({ point }) => point.changesPerSecond === undefined);
  const explain = (value: (one: Measured) => number, ...features: ((one: Measured) => number)[]) =>
    leastSquares(
      ticks.map((one) => features.map((feature) => feature(one))),
      ticks.map(value),
    );
  const one = () => 1;
  const proxies = ({ point }: Measured) => point.proxies;
  const resources = ({ point }: Measured) => point.services * 2 + 2;
  const [cpuMsPerChange = 0, perBackend = 0, perPush = 0, perKb = 0] = explain(
    cpuMsOf,
    one,
    ({ point }) => point.backendsPerService,
    proxies,
    (it) => proxies(it) * kbPerMessage(it),
  );
  const [message = 0, perEndpoint = 0] = explain(kbPerMessage, one, ({ point }) => point.backendsPerService);
  const [connectCpuMs = 0, perResource = 0] = explain(
    (it) => (it.figures["connectCpuMs"] ?? Number.NaN) / proxies(it),
    one,
    resources,
  );
  const [baseMb = 0, mbPerBackend = 0, mbPerService = 0, mbPerProxy = 0, mbPerHeld = 0] = explain(
    ({ figures }) => (figures["residentBytes"] ?? Number.NaN) / 2 ** 20,
    one,
    ({ point }) => point.services * point.backendsPerService,
    ({ point }) => point.services,
    proxies,
    (it) => proxies(it) * resources(it),
  );
  return {
    cpuMsPerChange,
    cpuUsPerBackendOfChange: perBackend * 1000,
    cpuUsPerPush: perPush * 1000,
    cpuUsPerPushedKb: perKb * 1000,
    kbPerMessage: message,
    kbPerEndpoint: perEndpoint,
    connectCpuMs,
    connectCpuUsPerResource: perResource * 1000,
    baseMb,
    kbPerBackend: mbPerBackend * 1024,
    kbPerService: mbPerService * 1024,
    kbPerProxy: mbPerProxy * 1024,
    kbPerProxyAndResource: mbPerHeld * 1024,
  };
}

/** Of one change, all its messages included. */
export function cpuMsOf({ point, figures }: Measured): number {
  return figures["cpuPerChange"] ?? ((figures["cpuPerThousand"] ?? Number.NaN) * point.proxies) / 1000;
}

export function kbPerMessage({ figures }: Measured): number {
  return (figures["bytesPerMessage"] ?? Number.NaN) / 1024;
}
