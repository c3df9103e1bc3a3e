import type { Fleet } from "../domain/fleet.ts";
import {
  MAX_CLUSTER_NAME_LENGTH,
  MAX_METADATA_KEY_LENGTH,
  MAX_METADATA_VALUE_LENGTH,
  MAX_SELECTOR_METADATA,
} from "../domain/limits.ts";
import type { Fleet as FleetMessage } from "../gen/fairlead/admin/v1/fleet_pb.ts";
import { checkEntries, checkLength, parseIdentity, type Report } from "./field-checks.ts";

/** A fleet that selects nothing means the nodes whose `node.cluster` is its name. */
export function parseFleet(message: FleetMessage, report: Report): Fleet {
  const identity = parseIdentity(report, "fleet", message);
  const cluster = checkLength(report, "nodes.cluster", message.nodes?.cluster ?? "", MAX_CLUSTER_NAME_LENGTH);
  const metadata = checkEntries(report, "nodes.metadata", message.nodes?.metadata ?? {}, {
    count: MAX_SELECTOR_METADATA,
    keyLength: MAX_METADATA_KEY_LENGTH,
    valueLength: MAX_METADATA_VALUE_LENGTH,
  });
  if (cluster !== "") return { ...identity, nodes: { cluster, metadata } };
  return { ...identity, nodes: { cluster: Object.keys(metadata).length === 0 ? identity.name : undefined, metadata } };
}
