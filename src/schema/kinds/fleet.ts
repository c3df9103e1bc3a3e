import { readBackendNetwork } from "../../domain/backend-networks.ts";
import { type Fleet, FORGET_AFTER } from "../../domain/fleet.ts";
import { FIRST_FLEET_PROFILE, NEW_FLEET_PROFILE } from "../../domain/fleet-profile.ts";
import {
  EXPECTED_PROXIES,
  MAX_BACKEND_NETWORKS,
  MAX_CLUSTER_NAME_LENGTH,
  SELECTOR_METADATA,
} from "../../domain/limits.ts";
import { type Fleet as FleetMessage, FleetSchema } from "../../gen/fairlead/admin/v1/fleet_pb.ts";
import {
  checkCount,
  checkDuration,
  checkEntries,
  checkLength,
  checkRangeOr,
  parseIdentity,
  type Report,
} from "../field-checks.ts";
import type { KindEntry, Settling } from "./kind-entry.ts";

const TOO_SOON = "a proxy that a rolling restart stops must be remembered until it is back";
const NETWORKS_FIELD = ["backend_networks", "backendNetworks"];

export const FLEET = {
  message: FleetSchema,
  outputOnly: ["meta", "conditions", "profile"],
  parse: parseFleet,
  isApplied: true,
  hasHistory: true,
  gives: "all of a fleet",
  settle: (draft, before, settling, named) => {
    keepProfile(draft, before);
    if (!named.some((field) => NETWORKS_FIELD.includes(field))) keepNetworks(draft, before, settling);
  },
  settleImported: (given, before, settling) => {
    keepNetworks(given, before, settling);
    // One that has an identity but no profile is from before there were profiles.
    const isOld = before === undefined && (given.meta?.uid ?? "") !== "";
    if (given.profile === 0 && !isOld) keepProfile(given, before);
  },
} as const satisfies KindEntry<"fleet", FleetMessage>;

/** A fleet keeps the profile that it was made with, whatever a write says; a new fleet gets the newest. */
function keepProfile(draft: FleetMessage, before: FleetMessage | undefined): void {
  draft.profile = before === undefined ? NEW_FLEET_PROFILE : before.profile;
}

/**
 * A write that leaves out a fleet's networks keeps them: what keeps requests out is not lost by omission. A new fleet gets
 * what the plane fills in.
 */
function keepNetworks(
  draft: FleetMessage,
  before: FleetMessage | undefined,
  { networksForNewFleets = [] }: Settling,
): void {
  if (draft.backendNetworks.length > 0) return;
  draft.backendNetworks = [...(before === undefined ? networksForNewFleets : before.backendNetworks)];
}

/** A fleet that selects nothing selects the nodes whose `node.cluster` is its name. */
function parseFleet(message: FleetMessage, report: Report): Fleet {
  const identity = parseIdentity(report, "fleet", message);
  const cluster = checkLength(report, "nodes.cluster", message.nodes?.cluster ?? "", MAX_CLUSTER_NAME_LENGTH);
  const metadata = checkEntries(report, "nodes.metadata", message.nodes?.metadata ?? {}, SELECTOR_METADATA);
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
    expected: checkRangeOr(report, "expected", message.expected, { ...EXPECTED_PROXIES, otherwise: undefined }),
    forgetAfterMs: checkDuration(report, "forgetAfter", message.forgetAfter, { ...FORGET_AFTER, tooShort: TOO_SOON }),
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
