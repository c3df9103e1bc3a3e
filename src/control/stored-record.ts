import { toControlPlaneError } from "../domain/errors.ts";
import type { LedsRecord } from "../domain/leds-record.ts";
import { isOfUnknownKind, type Name, OBJECT_KEYS, parseStoreKey } from "../domain/name.ts";
import { decodeMarks } from "../fleet/refusal-marks.ts";
import { REFUSALS } from "../fleet/stored-refusals.ts";
import { decodeStored, type StoredObject } from "../schema/stored-object.ts";
import { checkKey, checkValue } from "../store/batch.ts";
import { LEASES } from "../store/lease.ts";
import type { Revision } from "../store/revision.ts";
import { ASSIGNMENTS, decodeAssignment } from "./assignment-record.ts";
import { decodeLeds, LEDS_RECORDS, parseLedsKey } from "./leds-record.ts";
import { decodeNetworksFilled, NETWORKS_FILLED_KEY, type NetworksFilled } from "./networks-filled.ts";
import { decodePlane, PLANES, type PlaneRecord } from "./plane-record.ts";
import { decodeSystemVersion, SYSTEM_VERSION_KEY } from "./system-version.ts";

/** Why a record cannot be read, or not all of it. */
export interface RecordProblem {
  readonly why: string;
  /** A later release wrote it, as far as can be told: nobody here knows what it protects. */
  readonly isNewer: boolean;
}

/** What a record means to the mirror. */
export type RecordContent =
  | { readonly is: "object"; readonly stored: StoredObject }
  | { readonly is: "leds"; readonly service: Name; readonly record: LedsRecord }
  | { readonly is: "profile"; readonly profile: number }
  | { readonly is: "plane"; readonly key: string; readonly record: PlaneRecord }
  | { readonly is: "networks"; readonly filled: NetworksFilled }
  /** Read by others. */
  | { readonly is: "other" };

export interface ReadRecord {
  /** Nothing where none of it can be used. */
  readonly content: RecordContent | undefined;
  readonly problem: RecordProblem | undefined;
}

interface RecordForm {
  /** Its keys begin so. */
  readonly keys: string;
  /** `it is no share of checks`. */
  readonly what: string;
  readonly read: (key: string, value: Uint8Array) => RecordContent | undefined;
}

const OTHER: RecordContent = { is: "other" };

/** Every record that this release writes beside the objects. A new one has its line here, or it is a stranger in `status`. */
const FORMS: readonly RecordForm[] = [
  {
    keys: SYSTEM_VERSION_KEY,
    what: "statement of the encoding profile",
    read: (key, value) => {
      const profile = key === SYSTEM_VERSION_KEY ? decodeSystemVersion(value) : undefined;
      return profile === undefined ? undefined : { is: "profile", profile };
    },
  },
  {
    keys: LEDS_RECORDS,
    what: "account of a service's endpoint collections",
    read: (key, value) => {
      const service = parseLedsKey(key);
      const record = decodeLeds(value);
      return service === undefined || record === undefined ? undefined : { is: "leds", service, record };
    },
  },
  { keys: REFUSALS, what: "refusals of a proxy", read: (_, value) => decodeMarks(value) && OTHER },
  { keys: ASSIGNMENTS, what: "share of checks", read: (_, value) => decodeAssignment(value) && OTHER },
  {
    keys: PLANES,
    what: "record of where a plane listens",
    read: (key, value) => {
      const record = decodePlane(value);
      return record && { is: "plane", key, record };
    },
  },
  {
    keys: NETWORKS_FILLED_KEY,
    what: "mark that fleets have been given networks",
    read: (key, value) => {
      const filled = key === NETWORKS_FILLED_KEY ? decodeNetworksFilled(value) : undefined;
      return filled && { is: "networks", filled };
    },
  },
  // Its value is for people.
  { keys: LEASES, what: "lease", read: () => OTHER },
];

/** Reads whatever lies under a key of the store. Never throws: what cannot be read is named, and harms nothing else (law 9). */
export function readRecord(key: string, value: Uint8Array, revision: Revision): ReadRecord {
  try {
    checkKey(key);
    checkValue(key, value);
    return key.startsWith(OBJECT_KEYS) ? readObject(key, value, revision) : readOther(key, value);
  } catch (thrown) {
    const { code, message } = toControlPlaneError(thrown);
    return unread(message, code === "WRITTEN_BY_NEWER_RELEASE");
  }
}

function readObject(key: string, value: Uint8Array, revision: Revision): ReadRecord {
  if (parseStoreKey(key) === undefined) {
    if (isOfUnknownKind(key)) return unread("this release knows no objects of its kind", true);
    return unread("its key is not that of an object", false);
  }
  const stored = decodeStored(key, value, revision);
  const content = { is: "object", stored } as const;
  if (stored.unknown.length === 0) return { content, problem: undefined };
  return { content, problem: { why: `a newer release wrote it: ${stored.unknown.join("; ")}`, isNewer: true } };
}

function readOther(key: string, value: Uint8Array): ReadRecord {
  const form = FORMS.find(({ keys }) => key.startsWith(keys));
  if (form === undefined) return unread("this release knows no records of its kind", true);
  const content = form.read(key, value);
  return content === undefined ? unread(`it is no ${form.what}`, false) : { content, problem: undefined };
}

function unread(why: string, isNewer: boolean): ReadRecord {
  return { content: undefined, problem: { why, isNewer } };
}
