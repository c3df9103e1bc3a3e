import { deflateRawSync, inflateRawSync } from "node:zlib";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { invalid } from "../domain/errors.ts";
import type { Journal } from "../store/journal.ts";
import { formatRevision } from "../store/revision.ts";
import { MAX_RESULT_BYTES } from "../store/state-store.ts";
import { completeAnswer, type WriteAnswer, type WriteUseCase } from "./write-use-case.ts";

/** What the journal keeps so that a retry of the same request gets the same answer: as much of it as fits. */
export function recordResult<R extends WriteAnswer>(useCase: WriteUseCase<R>, response: R): { result?: Uint8Array } {
  if (requestIdOf(useCase) === "") return {};
  for (const answer of [response, useCase.brief(response)]) {
    const result = deflateRawSync(toBinary(useCase.responseSchema, answer));
    if (result.byteLength <= MAX_RESULT_BYTES) return { result };
  }
  return {};
}

/**
 * What the first try of this request answered, if it was committed.
 *
 * @throws ControlPlaneError `invalid` / `REQUEST_ID_REUSED` when the id belongs to another operation.
 */
export async function recallResult<R extends WriteAnswer>(
  journal: Journal,
  useCase: WriteUseCase<R>,
): Promise<R | undefined> {
  const requestId = requestIdOf(useCase);
  if (requestId === "") return undefined;
  const entry = await journal.findRequest(requestId);
  if (entry === undefined) return undefined;
  if (entry.operation !== useCase.operation) {
    throw invalid("REQUEST_ID_REUSED", [
      {
        field: "options.requestId",
        message: `"${requestId}" was the id of a ${entry.operation}; give each request its own`,
      },
    ]);
  }
  const response =
    entry.result === undefined
      ? create(useCase.responseSchema)
      : fromBinary(useCase.responseSchema, inflateRawSync(entry.result));
  return completeAnswer(useCase, response, formatRevision(entry.revision));
}

function requestIdOf<R extends WriteAnswer>({ options }: WriteUseCase<R>): string {
  return options?.requestId ?? "";
}
