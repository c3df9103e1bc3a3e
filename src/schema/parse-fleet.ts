import { readBackendNetwork } from "../domain/backend-networks.ts";
import type { Fleet } from "../domain/fleet.ts";
import { FIRST_FLEET_PROFILE, NEW_FLEET_PROFILE } from "../domain/fleet-profile.ts";
import {
  MAX_BACKEND_NETWORKS,
  MAX_CLUSTER_NAME_LENGTH,
  MAX_METADATA_KEY_LENGTH,
  MAX_METADATA_VALUE_LENGTH,
  MAX_SELECTOR_METADATA,
} from "../domain/limits.ts";
import type { Fleet as FleetMessage } from "../gen/fairlead/admin/v1/fleet_pb.ts";
import { checkCount, checkEntries, checkLength, checkRangeOr, parseIdentity, type Report } from "./field-checks.ts";

/** A fleet that selects nothing selects the nodes whose `node.cluster` is its name. */
export function parseFleet(message: FleetMessage, report: Report): Fleet {
  const identity = parseIdentity(report, "fleet", message);
  const cluster = checkLength(report, "nodes.cluster", message.nodes?.cluster ?? "", MAX_CLUSTER_NAME_LENGTH);
  const metadata = checkEntries(report, "nodes.metadata", message.nodes?.metadata ?? {}, {
    count: MAX_SELECTOR_METADATA,
    keyLength: MAX_METADATA_KEY_LENGTH,
    valueLength: MAX_METADATA_VALUE_LENGTH,
  });
  const own = Object.keys(metadata).length === 0 ? identity.name : undefined;
  return {
    ...identity,
    nodes: { cluster: cluster === "" ? own : cluster, metadata },
    backendNetworks: parseNetworks(message, report),
    profile: checkRangeOr(report, "profile", message.profile || undefined, {
      min: FIRST_FLEET_PROFILE,
      max: NEW_FLEET_PROFILE,
      otherwise: FIRST_FLEET_PROFILE,
    }),
  };
}

function parseNetworks(message: FleetMessage, report: Report): readonly string[] {
  checkCount(report, "backendNetworks", message.backendNetworks.length, { max: MAX_BACKEND_NETWORKS });
  message.backendNetworks = message.backendNetworks.slice(0, MAX_BACKEND_NETWORKS).map((text, i) => {
    const read = readBackendNetwork(text);
    if (read.ok) return read.text;
    report(`backendNetworks[${i}]`, read.message);
    return text;
  });
  return message.backendNetworks;
}
