import { AdminError } from "./admin-error.ts";
import { CliFailure, exitCodeOf, NOTHING_CHANGED } from "./exit.ts";
import { type ManifestObject, problemLines } from "./manifest.ts";

/** Where an object that is sent was read. */
export type SentObject = Pick<ManifestObject, "file" | "placeOf">;

/**
 * Waits for a change of many objects, which is made completely or not at all. An error names the places in the files that
 * the plane's violations mean, `objects[2].rules[0].match`, and says that nothing was changed, where that is known.
 */
export async function refusedAt<T>(objects: readonly SentObject[], changing: Promise<T>): Promise<T> {
  try {
    return await changing;
  } catch (error) {
    if (!(error instanceof AdminError) || error.isUnreachable) throw error;
    const problems = error.violations.map(({ field, message }) => {
      const [, index = "", inner = field] = /^objects\[(\d+)\]\.?(.*)$/s.exec(field) ?? [];
      const object = objects[index === "" ? -1 : Number(index)];
      if (object === undefined) return { file: "refused", field, message };
      return { file: object.file, place: object.placeOf(inner), field: inner, message };
    });
    const lines = problems.length === 0 ? [`refused: ${error.message}`] : problemLines(problems);
    const end = error.reason === "OUTCOME_UNKNOWN" ? [] : [NOTHING_CHANGED];
    throw new CliFailure(exitCodeOf(error), [...lines, ...end], { cause: error });
  }
}
