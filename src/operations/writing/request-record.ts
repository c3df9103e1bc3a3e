import { createHash } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { ControlPlaneError } from "../../domain/errors.ts";
import type { Journal, JournalEntry } from "../../store/journal.ts";
import { formatRevision } from "../../store/revision.ts";
import { MAX_RESULT_BYTES } from "../../store/state-store.ts";
import type { Caller } from "../context.ts";
import { completeAnswer, type WriteAnswer, type WriteUseCase } from "./write-use-case.ts";

/** There is no attempt to keep an answer longer than this whole: to compress it would hold up everybody else. */
const MAX_WHOLE_ANSWER_BYTES = 512 * 1024;
const DIGEST_BYTES = 32;
/** Between the id that a caller gave and the caller's tag. */
const SEPARATOR = " ";
const CALLER_TAG_LENGTH = 22;

/**
 * What a request id is kept under: each caller's ids are its own, so that nobody can take, or be given the answer of,
 * somebody else's.
 */
export function keptRequestId({ actor }: Pick<Caller, "actor">, requestId: string): string {
  if (requestId === "") return "";
  return `${requestId}${SEPARATOR}${createHash("sha256").update(actor).digest("base64url").slice(0, CALLER_TAG_LENGTH)}`;
}

/** The id as the caller gave it. Older entries hold nothing else. */
export function givenRequestId(kept: string): string {
  const end = kept.length - CALLER_TAG_LENGTH - SEPARATOR.length;
  return end > 0 && kept.startsWith(SEPARATOR, end) ? kept.slice(0, end) : kept;
}

/**
 * What the journal keeps so that a retry of the same request gets the same answer, as much of it as fits, and so that
 * another request under the same id is told apart: the compressed answer, followed by the digest of the request.
 */
export function recordResult<R extends WriteAnswer>(
  caller: Caller,
  useCase: WriteUseCase<R>,
  response: R,
): { result?: Uint8Array } {
  if (requestIdOf(useCase) === "") return {};
  const digest = caller.requestDigest();
  for (const answer of [response, useCase.brief?.(response) ?? response, create(useCase.responseSchema)]) {
    const bytes = toBinary(useCase.responseSchema, answer);
    if (bytes.byteLength > MAX_WHOLE_ANSWER_BYTES) continue;
    const result = Buffer.concat([deflateRawSync(bytes), digest]);
    if (result.byteLength <= MAX_RESULT_BYTES) return { result };
  }
  return {};
}

/**
 * What the first try of this request answered, if it was committed.
 *
 * @throws ControlPlaneError `invalid` / `REQUEST_ID_REUSED` when the same caller gave the id to another request.
 */
export async function recallResult<R extends WriteAnswer>(
  journal: Journal,
  caller: Caller,
  useCase: WriteUseCase<R>,
): Promise<R | undefined> {
  const requestId = requestIdOf(useCase);
  if (requestId === "") return undefined;
  const [own, older] = await Promise.all([
    journal.findRequest(keptRequestId(caller, requestId)),
    journal.findRequest(requestId),
  ]);
  const entry = own ?? (older?.actor === caller.actor ? older : undefined);
  if (entry === undefined) return undefined;
  const { answer, digest } = unpack(entry);
  const isSame = digest === undefined || digest.equals(caller.requestDigest());
  if (entry.operation !== useCase.operation || !isSame) throw reused(requestId, entry, useCase);
  const response = answer === undefined ? create(useCase.responseSchema) : fromBinary(useCase.responseSchema, answer);
  return completeAnswer(useCase, response, formatRevision(entry.revision));
}

/** Older entries end with the answer. */
function unpack({ result }: JournalEntry): { readonly answer?: Uint8Array; readonly digest?: Buffer } {
  if (result === undefined) return {};
  // The declared type has no `info`: it gives how much of the input the answer took.
  const { buffer: answer, engine } = inflateRawSync(result, {
    info: true,
    maxOutputLength: MAX_WHOLE_ANSWER_BYTES,
  }) as unknown as {
    readonly buffer: Buffer;
    readonly engine: { readonly bytesWritten: number };
  };
  const rest = result.subarray(engine.bytesWritten);
  return { answer, ...(rest.byteLength === DIGEST_BYTES && { digest: Buffer.from(rest) }) };
}

function reused<R extends WriteAnswer>(
  requestId: string,
  { operation, keys, at, revision }: JournalEntry,
  useCase: WriteUseCase<R>,
): ControlPlaneError {
  const [key = "nothing"] = keys;
  const what = keys.length > 1 ? `${key} and ${keys.length - 1} more` : key;
  const field = "options.requestId";
  const other = operation === useCase.operation ? "has other content" : `is a ${useCase.operation}`;
  const message = `"${requestId}" is the id of an earlier ${operation}, which wrote ${what} at ${new Date(at).toISOString()}, and this request ${other}: give each request an id of its own`;
  const details = { requestId, operation, revision: formatRevision(revision) };
  return new ControlPlaneError({
    kind: "invalid",
    code: "REQUEST_ID_REUSED",
    message: `${field}: ${message}`,
    violations: [{ field, message }],
    details,
  });
}

function requestIdOf<R extends WriteAnswer>({ options }: WriteUseCase<R>): string {
  return options?.requestId ?? "";
}
