/** The door of a plane that listens on loopback only, unless the test says otherwise. */
import { lookup } from "node:dns";
import { ipKind } from "../../src/domain/ip-address.ts";
import { OutboundDoor, type OutboundDoorOptions } from "../../src/outbound/door.ts";

export function outboundDoor(options: Partial<OutboundDoorOptions> = {}): OutboundDoor {
  return new OutboundDoor({
    listensOnLoopbackOnly: true,
    networks: [],
    ports: () => [],
    isLocal: (ip) => ipKind(ip) === "loopback",
    userId: process.getuid?.(),
    lookup,
    ...options,
  });
}
