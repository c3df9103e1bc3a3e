import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { type Duration, DurationSchema, type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import type { Violation } from "../domain/errors.ts";
import { KINDS, type Kind } from "../domain/name.ts";
import { joinPath } from "./field-checks.ts";
import { heldValues } from "./message-fields.ts";
import { descriptorOf } from "./object-message.ts";

/*
 * Instants and durations that cannot be written as JSON would break every list, export and page that they are in, for
 * everybody. Those that a client gives are refused; those already stored are read as the nearest that can be written.
 */

const EARLIEST_SECOND = -62_135_596_800n;
const LATEST_SECOND = 253_402_300_799n;
const LONGEST_SECONDS = 315_576_000_000n;
const LAST_NANO = 999_999_999;

/** Every ill-formed instant and duration of a message, by the path of its field. */
export function timeViolations(kind: Kind, message: Message): readonly Violation[] {
  const violations: Violation[] = [];
  visit(descriptorOf(kind), message, "", (value, field) => {
    const nearest = nearestOf(value);
    if (nearest.seconds === value.seconds && nearest.nanos === value.nanos) return;
    const given = `${value.seconds} s and ${value.nanos} ns`;
    const range =
      value.$typeName === TimestampSchema.typeName
        ? "must be from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z with 0 to 999999999 ns"
        : `must be at most ${LONGEST_SECONDS} s with up to 999999999 ns of the same sign`;
    violations.push({ field, message: `${range}, not ${given}` });
  });
  return violations;
}

/** Puts the nearest well-formed one in the place of each ill-formed instant and duration. */
export function mendTimes(kind: Kind, message: Message): void {
  visit(descriptorOf(kind), message, "", (value) => Object.assign(value, nearestOf(value)));
}

type Time = Timestamp | Duration;

function nearestOf(value: Time): { readonly seconds: bigint; readonly nanos: number } {
  const { seconds, nanos } = value;
  const isInstant = value.$typeName === TimestampSchema.typeName;
  const [least, most] = isInstant ? [EARLIEST_SECOND, LATEST_SECOND] : [-LONGEST_SECONDS, LONGEST_SECONDS];
  if (seconds < least) return { seconds: least, nanos: 0 };
  if (seconds > most) return { seconds: most, nanos: 0 };
  const fewest = isInstant || seconds > 0n ? 0 : -LAST_NANO;
  const greatest = !isInstant && seconds < 0n ? 0 : LAST_NANO;
  return { seconds, nanos: Math.min(Math.max(nanos, fewest), greatest) };
}

/** A field with times in it. */
interface TimeField {
  readonly field: DescField;
  /** Describes the message in the field, or in its elements; undefined where that is itself a time. */
  readonly inner: DescMessage | undefined;
}

/** The time fields of all messages in objects. Most have none: looking at 100,000 objects must not take long. */
const TIME_FIELDS: ReadonlyMap<DescMessage, readonly TimeField[]> = KINDS.reduce((known, kind) => {
  timeFieldsOf(descriptorOf(kind), known);
  return known;
}, new Map<DescMessage, readonly TimeField[]>());

function timeFieldsOf(desc: DescMessage, known: Map<DescMessage, readonly TimeField[]>): readonly TimeField[] {
  const found = known.get(desc);
  if (found !== undefined) return found;
  // Set first: a message may hold others of its own type.
  known.set(desc, []);
  const fields = desc.fields.flatMap((field): TimeField[] => {
    const inner = field.message;
    if (inner === undefined) return [];
    if (inner.typeName === TimestampSchema.typeName || inner.typeName === DurationSchema.typeName) {
      return [{ field, inner: undefined }];
    }
    return timeFieldsOf(inner, known).length > 0 ? [{ field, inner }] : [];
  });
  known.set(desc, fields);
  return fields;
}

function visit(desc: DescMessage, message: Message, path: string, run: (value: Time, path: string) => void): void {
  for (const { field, inner } of TIME_FIELDS.get(desc) ?? []) {
    for (const [place, value] of heldValues(field, message)) {
      const at = joinPath(path, place);
      if (inner === undefined) run(value as Time, at);
      else visit(inner, value as Message, at, run);
    }
  }
}
