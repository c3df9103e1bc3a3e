import type { DescMessage, JsonObject, JsonValue, MessageShape } from "@bufbuild/protobuf";
import { messageJson } from "./data-text.ts";
import { EXIT, type ExitCode } from "./exit.ts";

/** The result of a command, beside the lines that people read: its exit code, and its one document with `-o json`. */
export class Outcome {
  exitCode: ExitCode = EXIT.done;
  #fields: JsonObject | undefined;
  #list: readonly JsonValue[] | undefined;

  /** The document so far; undefined when the command prints its own, or has nothing to tell. */
  get document(): JsonObject | readonly JsonValue[] | undefined {
    return this.#fields ?? this.#list;
  }

  /** Adds fields to the document. */
  put(fields: JsonObject): void {
    this.#fields = { ...this.#fields, ...fields };
  }

  /** Adds an answer of the API, in its JSON form. */
  putAnswer<Desc extends DescMessage>(desc: Desc, answer: MessageShape<Desc>): void {
    this.put(messageJson(desc, answer) as JsonObject);
  }

  /** Makes the document a list; an error that comes after it replaces it. */
  putList(list: readonly JsonValue[]): void {
    this.#list = list;
  }

  /** Ends a dry run: the exit code says that something would change only with `--detailed-exitcode`. */
  endDryRun(flags: { readonly dryRun?: true; readonly detailedExitcode?: true }, hasChanges: boolean): void {
    if (flags.dryRun !== true) return;
    this.put({ dryRun: true, hasChanges });
    if (hasChanges && flags.detailedExitcode === true) this.exitCode = EXIT.hasChanges;
  }
}
