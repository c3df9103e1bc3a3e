import { lookup } from "node:dns";
import { ipKind, readIp } from "../domain/ip-address.ts";
import { OutboundDoor } from "../outbound/door.ts";
import type { ProtectedPort } from "../outbound/judge.ts";
import { followServers } from "../outbound/server-addresses.ts";
import type { Clock } from "../runtime/clock.ts";
import { userId } from "../runtime/process-id.ts";
import type { Store } from "../store/store.ts";
import { type Address, listensOnLoopbackOnly, PORTS, type Port } from "./address.ts";
import type { Config } from "./config.ts";

/** This plane's door to the outside: its own ports, its store and its fellow planes are out of bounds. */
export function openDoor(of: {
  readonly config: Config;
  readonly store: Pick<Store, "servers">;
  /** The ports of the planes that share its state, as they are recorded there. */
  readonly planes: () => Iterable<ProtectedPort>;
  /** The addresses of this machine. */
  readonly interfaces: () => readonly string[];
  readonly clock: Clock;
}) {
  const { config, store, planes, interfaces, clock } = of;
  const own = new Map<Port, ProtectedPort>();
  const bound = (port: Port, { host, port: number }: Address) => {
    own.set(port, { what: `the plane's own ${port} port`, ip: host === "localhost" ? "0.0.0.0" : host, port: number });
  };
  // The configured address counts before it is bound; a port that the system chooses is known only afterwards.
  for (const port of PORTS) bound(port, config[port]);
  const servers = followServers(store.servers, lookup, clock);
  const door = new OutboundDoor({
    listensOnLoopbackOnly: listensOnLoopbackOnly(config),
    networks: config.outboundNetworks,
    isLocal: (ip) =>
      ipKind(ip) === "loopback" || interfaces().some((address) => readIp(address)?.toString() === ip.toString()),
    userId,
    lookup,
    *ports() {
      yield* own.values();
      for (const address of servers.list()) yield { what: "a server of the plane's store", ...address };
      yield* planes();
    },
  });
  return {
    door,
    /** Tells that a port of this plane is bound to this address: from now on it is out of bounds. */
    bound,
    stop: servers.stop,
  };
}
