import { create, type DescMessage, fromBinary, type Message, type MessageShape } from "@bufbuild/protobuf";
import { invalid, type Violation } from "../domain/errors.ts";
import type { Pace } from "../runtime/pace.ts";
import { unknownContent } from "../schema/unknown-content.ts";
import { refuseAbove } from "./exhausted.ts";
import { ADMIN_LIMITS } from "./limits.ts";
import { malformed, scanRequest } from "./scan-request.ts";

/** A request of up to this size is decoded at once. */
const AT_ONCE_BYTES = 64 * 1024;

/**
 * Reads a request, in slices if it is long. A field that this release does not know is refused rather than lost:
 * otherwise the caller would believe that it was done.
 *
 * @throws ControlPlaneError `exhausted` / `REQUEST_TOO_LARGE`, `TOO_MANY_FIELDS`; `invalid` / `MALFORMED_REQUEST`;
 * `invalid` / `UNKNOWN_FIELD`.
 */
export async function decodeRequest<D extends DescMessage>(
  desc: D,
  bytes: Uint8Array,
  pace: Pick<Pace, "breathe">,
): Promise<MessageShape<D>> {
  refuseAbove("REQUEST_TOO_LARGE", {
    limit: `bytes of ${desc.typeName}`,
    came: bytes.byteLength,
    max: ADMIN_LIMITS.maxRequestBytes,
    cure: "split the request",
  });
  const { rest, elements } = scanRequest(desc, bytes);
  const violations: Violation[] = [];
  const isShort = bytes.byteLength <= AT_ONCE_BYTES;
  const message = decode(desc, desc, isShort ? bytes : Buffer.concat(rest));
  violations.push(...unknownFields(desc, message));
  if (!isShort) {
    for (const { field, bytes: content } of elements) {
      const list = (message as Record<string, unknown>)[field.localName] as unknown[];
      const element = decode(desc, field.message, content);
      violations.push(...unknownFields(field.message, element, `${field.jsonName}[${list.length}]`));
      list.push(element);
      await pace.breathe();
    }
  }
  if (violations.length > 0) throw invalid("UNKNOWN_FIELD", violations);
  return message;
}

function decode<D extends DescMessage>(request: DescMessage, desc: D, bytes: Uint8Array): MessageShape<D> {
  if (bytes.byteLength === 0) return create(desc);
  try {
    return fromBinary(desc, bytes);
  } catch (cause) {
    throw malformed(request, cause);
  }
}

/** A value that an enum does not have is refused where the object is checked, which says what would be right. */
function unknownFields(desc: DescMessage, message: Message, at = ""): Violation[] {
  return unknownContent(desc, message)
    .filter(({ kind }) => kind === "field")
    .map(({ path, message }) => ({
      field: [at, path].filter((part) => part !== "").join("."),
      message: `${message}; the client is newer than the plane, or not made for it`,
    }));
}
