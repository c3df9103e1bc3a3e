import { create, type DescField, type DescMessage, type Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";

/** What some fields must be for a message to make sense; nothing for those that stay unset. */
export type Fixed = Readonly<Record<string, unknown>>;

/**
 * A message with all its fields set, two of what repeats, as far down as it goes: each string is what `text` gives next.
 * `fixed` says what fields of a name hold instead.
 */
export function filledMessage(desc: DescMessage, text: () => string, fixed: Fixed): Message {
  if (desc.typeName === "google.protobuf.Timestamp" || desc.typeName === "google.protobuf.Duration") {
    return create(desc, { seconds: 3600n });
  }
  const message = create(desc);
  const fields = reflect(desc, message);
  for (const field of desc.fields) {
    // Of a oneof, the first member stays.
    if (field.oneof !== undefined && field.oneof.fields[0] !== field) continue;
    if (field.name in fixed) {
      if (fixed[field.name] !== undefined) fields.set(field, fixed[field.name]);
      continue;
    }
    if (field.fieldKind === "list") {
      for (let count = 0; count < 2; count += 1) fields.get(field).add(filledValue(field, text, fixed));
    } else if (field.fieldKind === "map") {
      fields.get(field).set(text(), filledValue(field, text, fixed));
    } else {
      fields.set(field, filledValue(field, text, fixed));
    }
  }
  return message;
}

function filledValue(field: DescField, text: () => string, fixed: Fixed): unknown {
  const inner = field.message;
  if (inner !== undefined) return reflect(inner, filledMessage(inner, text, fixed));
  if (field.enum !== undefined) return field.enum.values.at(-1)?.number;
  return SCALARS[field.scalar ?? 0]?.() ?? text();
}

/** By number of the scalar type; strings are left out. */
const SCALARS: Readonly<Record<number, () => unknown>> = {
  1: () => 0.5,
  2: () => 0.5,
  3: () => 7n,
  4: () => 7n,
  5: () => 7,
  8: () => true,
  12: () => new Uint8Array([1]),
  13: () => 7,
};
