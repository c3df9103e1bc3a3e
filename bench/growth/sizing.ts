/** How many replicas a fleet needs, of which size; from what one of everything costs. */
import type { UnitCosts } from "./unit-costs.ts";

export interface Fleet {
  readonly proxies: number;
  readonly services: number;
  readonly backends: number;
  /** A proxy holds the services that its routes lead to; only changes of those are sent to it. */
  readonly servicesPerProxy: number;
  readonly changesPerSecond: number;
}

export interface Sizing {
  /** One more than are needed while all are well. */
  readonly replicas: number;
  /** The following are of one replica, while one of them is away. */
  readonly proxies: number;
  readonly coreShare: number;
  readonly memoryMb: number;
  readonly networkMbit: number;
  /** Until the proxies of a replica that is lost have been taken over by the others, if nothing limits them but processors. */
  readonly takeoverSeconds: number;
}

/** A replica pushes from one thread: half of it stays free for what comes at once. */
export const MAX_CORE_SHARE = 0.5;
/** As many as have been measured on one replica. */
export const MAX_PROXIES = 10_000;

export function sizeFleet(fleet: Fleet, costs: UnitCosts): Sizing {
  for (let needed = 1; ; needed++) {
    const sizing = replicaOf(fleet, costs, needed);
    if (sizing.coreShare <= MAX_CORE_SHARE && sizing.proxies <= MAX_PROXIES) return sizing;
    // What every replica has to do for itself does not shrink with their number.
    if (needed > fleet.proxies) throw new Error("no number of replicas keeps up with so many changes");
  }
}

function replicaOf(fleet: Fleet, costs: UnitCosts, needed: number): Sizing {
  const proxies = Math.ceil(fleet.proxies / needed);
  const endpoints = fleet.backends / fleet.services;
  const messageKb = costs.kbPerMessage + costs.kbPerEndpoint * endpoints;
  const pushes = (proxies * fleet.servicesPerProxy) / fleet.services;
  const resources = 2 * fleet.servicesPerProxy + 2;
  const pushUs = costs.cpuUsPerPush + costs.cpuUsPerPushedKb * messageKb;
  const changeMs = costs.cpuMsPerChange + (costs.cpuUsPerBackendOfChange * endpoints + pushes * pushUs) / 1000;
  const proxyKb = costs.kbPerProxy + costs.kbPerProxyAndResource * resources;
  const stateKb = costs.kbPerBackend * fleet.backends + costs.kbPerService * fleet.services;
  const connectMs = costs.connectCpuMs + (costs.connectCpuUsPerResource * resources) / 1000;
  return {
    replicas: needed + 1,
    proxies,
    coreShare: (fleet.changesPerSecond * changeMs) / 1000,
    memoryMb: costs.baseMb + (stateKb + proxyKb * proxies) / 1024,
    networkMbit: (fleet.changesPerSecond * pushes * messageKb * 8) / 1024,
    takeoverSeconds: ((fleet.proxies / (needed + 1) / needed) * connectMs) / 1000,
  };
}
