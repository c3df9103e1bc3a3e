/** Messages that were right, with values in them that their reader may not expect. */
import { create, type DescField, type DescMessage, type MessageShape, ScalarType } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import type { Chance } from "./chance.ts";
import { hostileBytes, hostileInteger, hostileLong, hostileNumber, hostileText } from "./dictionary.ts";

const DEEPEST = 6;

/** Changes one to three fields, at any depth, in place. */
export function mutateMessage<D extends DescMessage>(desc: D, message: MessageShape<D>, chance: Chance): void {
  for (let i = 0; i <= chance.below(3); i++) mutateOne(reflect(desc, message, false), chance, 0);
}

function mutateOne(message: ReflectMessage, chance: Chance, depth: number): void {
  const { fields } = message;
  if (fields.length === 0) return;
  // A field that is set leads further than one that is not.
  const set = fields.filter((field) => message.isSet(field));
  const field = chance.oneOf(set.length > 0 && chance.happens(70) ? set : fields);
  if (chance.happens(8)) message.clear(field);
  else change(message, field, chance, depth);
}

function change(message: ReflectMessage, field: DescField, chance: Chance, depth: number): void {
  switch (field.fieldKind) {
    case "scalar":
      message.set(field, hostileScalar(field.scalar, chance));
      return;
    case "enum":
      message.set(field, hostileInteger(chance) | 0);
      return;
    case "message": {
      const inner = message.isSet(field) ? message.get(field) : fresh(field.message);
      if (depth < DEEPEST) mutateOne(inner, chance, depth + 1);
      message.set(field, inner);
      return;
    }
    case "list": {
      const list = message.get(field);
      if (list.size > 0 && chance.happens(30)) list.clear();
      for (let i = 0; i < chance.oneOf([1, 2, 70]); i++) list.add(hostileItem(field, chance, depth));
      return;
    }
    case "map": {
      const map = message.get(field);
      for (let i = 0; i < chance.oneOf([1, 65, 700]); i++) {
        map.set(
          field.mapKey === ScalarType.STRING ? `${hostileText(chance)}${i}` : i,
          hostileItem(field, chance, depth),
        );
      }
    }
  }
}

function hostileItem(field: DescField & { fieldKind: "list" | "map" }, chance: Chance, depth: number): unknown {
  const kind = field.fieldKind === "list" ? field.listKind : field.mapKind;
  if (kind === "scalar") return hostileScalar(field.scalar as ScalarType, chance);
  if (kind === "enum") return hostileInteger(chance) | 0;
  const inner = fresh(field.message as DescMessage);
  if (depth < DEEPEST) mutateOne(inner, chance, depth + 1);
  return inner;
}

function fresh(desc: DescMessage): ReflectMessage {
  return reflect(desc, create(desc), false);
}

function hostileScalar(scalar: ScalarType, chance: Chance): unknown {
  switch (scalar) {
    case ScalarType.STRING:
      return hostileText(chance);
    case ScalarType.BYTES:
      return hostileBytes(chance);
    case ScalarType.BOOL:
      return chance.happens(50);
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return hostileNumber(chance);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return hostileInteger(chance) >>> 0;
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return hostileInteger(chance) | 0;
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return BigInt.asUintN(64, hostileLong(chance));
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return hostileLong(chance);
  }
}
