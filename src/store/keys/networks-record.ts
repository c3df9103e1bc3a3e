import type { NetworksFilled } from "../../domain/backend-networks.ts";
import { type RecordForm, readText, single, writeText } from "./record-form.ts";

/** How far fleets that name no networks have been given some: whoever empties them later means it. */
export const NETWORKS: RecordForm<NetworksFilled> = {
  ...single("system/backend-networks"),
  what: "mark that fleets have been given networks",
  encode: writeText,
  decode: (bytes) => {
    const text = readText(bytes);
    return text === "sockets" || text === "loopback" ? text : undefined;
  },
  unread: "loopback",
};
