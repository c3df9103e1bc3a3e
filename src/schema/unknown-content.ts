import type { DescMessage, Message } from "@bufbuild/protobuf";
import { joinPath } from "./field-checks.ts";
import { heldValues } from "./message-fields.ts";

/** A part of a message that this release does not know: a field by its number, or a value of an enum. */
export interface UnknownPart {
  readonly kind: "field" | "value";
  /** The path of the message or field that holds it, as the user writes it; empty for the message itself. */
  readonly path: string;
  /** `Service has no field 17`, `Protocol has no value 4`. */
  readonly message: string;
}

/**
 * What a message, with all messages in it, holds that this release does not know. Cheap where there is nothing, as each
 * object that is read is checked.
 *
 * @param limit At most this many are looked for.
 */
export function unknownContent(desc: DescMessage, message: Message, limit = 20): readonly UnknownPart[] {
  const found: UnknownPart[] = [];
  look(desc, message, "");
  return found;

  function look(desc: DescMessage, message: Message, path: string): void {
    for (const { no } of message.$unknown ?? []) {
      if (found.length < limit) found.push({ kind: "field", path, message: `${desc.name} has no field ${no}` });
    }
    for (const field of desc.fields) {
      if (field.message === undefined && field.enum === undefined) continue;
      for (const [place, value] of heldValues(field, message)) {
        if (found.length === limit) return;
        const at = joinPath(path, place);
        if (field.message !== undefined) look(field.message, value as Message, at);
        else if (field.enum?.value[value as number] === undefined) {
          found.push({ kind: "value", path: at, message: `${field.enum?.name} has no value ${String(value)}` });
        }
      }
    }
  }
}
