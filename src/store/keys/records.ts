import type { Name } from "../../domain/name.ts";
import type { RecordKind, RecordOf } from "../../domain/state.ts";
import { ASSIGNMENT } from "./assignment-record.ts";
import { LEDS } from "./leds-record.ts";
import { PLANE } from "./plane-record.ts";
import { PRESENCE } from "./presence-record.ts";
import { below, type RecordForm, readFields, readText, single, writeText } from "./record-form.ts";
import { REFUSAL } from "./refusal-record.ts";

/** The form of the stored state itself; a release refuses to read one greater than it knows. */
const SCHEMA = 1;

/** The records that a state has besides its objects. A new one must have its line here, or it is a stranger in `status`. */
export const RECORDS: { readonly [K in RecordKind]: RecordForm<RecordOf[K]> } = {
  profile: {
    ...single("system/version"),
    what: "statement of the encoding profile",
    encode: (profile) => writeText(JSON.stringify({ schema: SCHEMA, profile })),
    decode: (bytes) => {
      const { schema, profile } = readFields(bytes);
      if (typeof schema !== "number") return undefined;
      // A later release's form is a profile that nobody has.
      if (schema !== SCHEMA) return Number.POSITIVE_INFINITY;
      return typeof profile === "number" ? profile : undefined;
    },
    unread: Number.POSITIVE_INFINITY,
  },
  leds: LEDS,
  plane: PLANE,
  presence: PRESENCE,
  networks: {
    ...single("system/backend-networks"),
    what: "mark that fleets have been given networks",
    encode: writeText,
    decode: (bytes) => (["sockets", "loopback"] as const).find((filled) => filled === readText(bytes)),
    unread: "loopback",
  },
};

/** Records that are not part of a state: whoever writes them reads them. */
export const OTHER_RECORDS = {
  refusal: REFUSAL,
  assignment: ASSIGNMENT,
  /** The fencing token of each role; its value names the holder, for people. */
  lease: {
    ...below("system/leases/"),
    what: "lease",
    encode: writeText,
    decode: readText,
  } satisfies RecordForm<string>,
} as const;

const KINDS = Object.entries(RECORDS) as [RecordKind, RecordForm<unknown>][];

/** The form of the record that a key is for; undefined for keys of objects and keys that this release does not know. */
export function formOf(
  key: string,
): { readonly kind: RecordKind | undefined; readonly form: RecordForm<unknown> } | undefined {
  for (const [kind, form] of KINDS) if (key.startsWith(form.keys)) return { kind, form };
  for (const form of Object.values(OTHER_RECORDS)) if (key.startsWith(form.keys)) return { kind: undefined, form };
  return undefined;
}

/** A record of a state, whether it exists or not. */
export interface RecordId {
  readonly kind: RecordKind;
  readonly name: Name;
}

/** Which record of a state a key is for. */
export function recordAt(key: string): RecordId | undefined {
  const found = formOf(key);
  const name = found?.form.nameOf(key);
  return found?.kind === undefined || name === undefined ? undefined : { kind: found.kind, name };
}
