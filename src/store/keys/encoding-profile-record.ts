import { type RecordForm, readFields, single, writeText } from "./record-form.ts";

/** The form of the stored state itself; a release refuses to read a greater one than it knows. */
const SCHEMA = 1;

/**
 * In which form the state is, and how resources are encoded from it. A later release's form is a profile that nobody has, and
 * so is what cannot be read.
 */
export const PROFILE: RecordForm<number> = {
  ...single("system/version"),
  what: "statement of the encoding profile",
  encode: (profile) => writeText(JSON.stringify({ schema: SCHEMA, profile })),
  decode: (bytes) => {
    const { schema, profile } = readFields(bytes);
    if (typeof schema !== "number") return undefined;
    if (schema !== SCHEMA) return Number.POSITIVE_INFINITY;
    return typeof profile === "number" ? profile : undefined;
  },
  unread: Number.POSITIVE_INFINITY,
};
