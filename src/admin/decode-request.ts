import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { ControlPlaneError, invalid } from "../domain/errors.ts";
import { unknownContent } from "../schema/unknown-content.ts";

/** Longest request in bytes. More than any batch of the store can hold. */
const MAX_REQUEST_BYTES = 20 * 1024 * 1024;

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
  // A value that an enum does not have is refused where the object is checked, with what would be right.
  const violations = unknownContent(desc, message)
    .filter(({ kind }) => kind === "field")
    .map(({ path, message }) => ({
      field: path,
      message: `${message}; the client is newer than the plane, or not made for it`,
    }));
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
