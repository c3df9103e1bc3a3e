import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { ControlPlaneError, invalid, type Violation } from "../domain/errors.ts";

/** Longest request in bytes. More than any batch of the store can hold. */
const MAX_REQUEST_BYTES = 20 * 1024 * 1024;
/** How many unknown fields an error names. */
const NAMED = 20;

/**
 * Reads a request. A field that this release does not know is refused rather than lost: the caller would believe that it
 * was done.
 *
 * @throws ControlPlaneError `exhausted` / `REQUEST_TOO_LARGE`; `invalid` / `MALFORMED_REQUEST`; `invalid` / `UNKNOWN_FIELD`.
 */
export function decodeRequest<D extends DescMessage>(desc: D, bytes: Uint8Array): MessageShape<D> {
  if (bytes.byteLength > MAX_REQUEST_BYTES) {
    throw new ControlPlaneError({
      kind: "exhausted",
      code: "REQUEST_TOO_LARGE",
      message: `the request has ${bytes.byteLength} bytes; at most ${MAX_REQUEST_BYTES} are taken: split it`,
      details: { bytes: String(bytes.byteLength), limit: String(MAX_REQUEST_BYTES) },
    });
  }
  const message = decode(desc, bytes);
  const violations: Violation[] = [];
  findUnknown(reflect(desc, message), "", violations);
  if (violations.length > 0) throw invalid("UNKNOWN_FIELD", violations);
  return message;
}

function decode<D extends DescMessage>(desc: D, bytes: Uint8Array): MessageShape<D> {
  try {
    return fromBinary(desc, bytes);
  } catch (cause) {
    throw new ControlPlaneError({
      kind: "invalid",
      code: "MALFORMED_REQUEST",
      message: `the request is no ${desc.typeName}`,
      cause,
    });
  }
}

function findUnknown(message: ReflectMessage, path: string, violations: Violation[]): void {
  for (const { no } of message.getUnknown() ?? []) {
    if (violations.length === NAMED) return;
    violations.push({
      field: path,
      message: `${message.desc.name} has no field ${no}; the client is newer than the plane, or not made for it`,
    });
  }
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    const at = path === "" ? field.jsonName : `${path}.${field.jsonName}`;
    if (field.fieldKind === "message") {
      findUnknown(message.get(field), at, violations);
    } else if (field.fieldKind === "list" && field.listKind === "message") {
      let i = 0;
      for (const item of message.get(field)) findUnknown(item as ReflectMessage, `${at}[${i++}]`, violations);
    } else if (field.fieldKind === "map" && field.mapKind === "message") {
      for (const [key, value] of message.get(field))
        findUnknown(value as ReflectMessage, `${at}[${String(key)}]`, violations);
    }
  }
}
