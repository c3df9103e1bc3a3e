import type { Name } from "../domain/name.ts";
import type { View } from "../resources/view.ts";

/** The proxies of one view: those of a fleet that can take the same resources, and so get the same. */
export type ProxyGroup = string;

export function proxyGroup({ fleet, level }: View): ProxyGroup {
  return level === "base" ? fleet : `${fleet} ${level}`;
}

/** The fleet of a group. */
export function fleetOf(group: ProxyGroup): Name {
  const space = group.indexOf(" ");
  return space < 0 ? group : group.slice(0, space);
}

/** Whether it is of gRPC clients, whose listeners and routes are named after hosts. */
export function isOfGrpcClients(group: ProxyGroup): boolean {
  return group.endsWith(" grpc");
}
