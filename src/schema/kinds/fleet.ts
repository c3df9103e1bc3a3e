import { type Fleet, FORGET_AFTER } from "../../domain/fleet.ts";
import { FIRST_FLEET_PROFILE, NEW_FLEET_PROFILE } from "../../domain/fleet-profile.ts";
import {
  EXPECTED_PROXIES,
  MAX_BACKEND_NETWORKS,
  MAX_CLUSTER_NAME_LENGTH,
  SELECTOR_METADATA,
} from "../../domain/limits.ts";
import { type Fleet as FleetMessage, FleetSchema, NodeSelectorSchema } from "../../gen/fairlead/admin/v1/fleet_pb.ts";
import { factsOf } from "../facts.ts";
import { checkRange, parseIdentity, type Report, readDuration } from "../field-checks.ts";
import { identityFacts } from "../identity-facts.ts";
import { BACKEND_NETWORK } from "../text-forms.ts";
import type { KindEntry, Settling } from "./kind-entry.ts";

const TOO_SOON = "a proxy that a rolling restart stops must be remembered until it is back";
const NETWORKS_FIELD = ["backend_networks", "backendNetworks"];

export const FLEET = {
  message: FleetSchema,
  facts: [
    factsOf(FleetSchema, {
      ...identityFacts("fleet"),
      backendNetworks: { count: { max: MAX_BACKEND_NETWORKS }, text: BACKEND_NETWORK },
      expected: { range: EXPECTED_PROXIES },
      forgetAfter: { time: { ...FORGET_AFTER, tooShort: TOO_SOON } },
    }),
    factsOf(NodeSelectorSchema, {
      cluster: { text: { maxLength: MAX_CLUSTER_NAME_LENGTH } },
      metadata: { entries: SELECTOR_METADATA },
    }),
  ],
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
  const identity = parseIdentity(message);
  const { cluster = "", metadata = {} } = message.nodes ?? {};
  const own = Object.keys(metadata).length === 0 ? identity.name : undefined;
  return {
    ...identity,
    nodes: { cluster: cluster === "" ? own : cluster, metadata },
    backendNetworks: message.backendNetworks,
    profile: parseProfile(message, report),
    expected: message.expected,
    forgetAfterMs: readDuration(message.forgetAfter, FORGET_AFTER.otherwiseMs),
  };
}

/** Only the plane writes it; a later release may have written one that is not known here. */
function parseProfile({ profile }: FleetMessage, report: Report): number {
  if (profile === 0) return FIRST_FLEET_PROFILE;
  checkRange(report, "profile", profile, { min: FIRST_FLEET_PROFILE, max: NEW_FLEET_PROFILE });
  return profile;
}
