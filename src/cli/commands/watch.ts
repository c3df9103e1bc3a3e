import type { JsonValue } from "@bufbuild/protobuf";
import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import {
  type WatchCommit,
  type WatchEvent,
  type WatchResponse,
  WatchResponseSchema,
} from "../../gen/fairlead/admin/v1/observe_pb.ts";
import { instantOfMs } from "../../runtime/instant.ts";
import { fieldChanges } from "../../schema/field-changes.ts";
import type { MessageOf } from "../../schema/kinds/registry.ts";
import { fieldText, signPiece } from "../change-text.ts";
import { jsonText, messageJson } from "../data-text.ts";
import { type CliContext, type CliIo, noteLine, printLine, printText } from "../io.ts";
import { pieceText } from "../line.ts";
import { formatMoment, formatTimeOfDay, type Zone } from "../moment.ts";
import { kindNamed, kindsText } from "../object-reference.ts";
import { type OutputForm, outputOption } from "../options.ts";
import { cellText } from "../table.ts";

interface WatchFlags {
  readonly present?: true;
  readonly from?: string;
  readonly output: OutputForm;
}

export function watchCommand(context: CliContext): Command {
  return new Command("watch")
    .description("Print changes of objects as they happen, until interrupted")
    .argument("[kind...]", `only these kinds: ${kindsText()} (default: all)`)
    .option("--present", "begin with the objects as they are now")
    .option("--from <revision>", "begin with the changes since this revision")
    .addOption(outputOption())
    .addHelpText(
      "after",
      `
Each line says when the change was committed, what changed, who changed it, and why. With -o json each line is one message of
the API.

Examples:
  fairlead watch
  fairlead watch health backend
  fairlead watch --present -o json`,
    )
    .action((kinds: readonly string[], flags: WatchFlags) => watch(context, kinds, flags));
}

async function watch(context: CliContext, kinds: readonly string[], flags: WatchFlags): Promise<void> {
  const { io } = context;
  const request = { kinds: kinds.map((text) => kindNamed(text).kind), fromRevision: flags.from ?? "" };
  const known: Known = new Map();
  // A watch from a revision has no present state to skip.
  let isShown = flags.present === true || request.fromRevision !== "";
  const answers = context.admin().stream(AdminService.method.watch, request, { signal: io.signal });
  for await (const answer of answers) {
    if (isShown) print(context, answer, known, flags.output);
    else for (const event of answer.events) remember(known, event);
    if (answer.synced) {
      isShown = true;
      noteLine(
        io,
        `connected at revision ${answer.revision}, ${formatMoment(nowOf(io), io)}; watching for changes, Ctrl-C to stop`,
      );
    }
  }
}

/** The last known content of each object, to say what a change changes. */
type WatchedMessage = MessageOf[keyof MessageOf];
type Known = Map<string, WatchedMessage>;

function remember(known: Known, { kind, name, object, health }: WatchEvent): WatchedMessage | undefined {
  const key = `${kind} ${name}`;
  const before = known.get(key);
  const message = health ?? object?.object.value;
  if (message === undefined) known.delete(key);
  else known.set(key, message);
  return before;
}

function print({ io }: CliContext, answer: WatchResponse, known: Known, output: OutputForm): void {
  if (output === "json") {
    printText(io, jsonText(messageJson(WatchResponseSchema, answer)));
    return;
  }
  for (const event of answer.events) {
    const commit = answer.commits.find(({ revision }) => revision === event.revision);
    const time = formatTimeOfDay(event.time ?? nowOf(io), io);
    const text = eventText(event, remember(known, event), io);
    printLine(io, [`${time}  `, signPiece(text.slice(0, 1)), `${text.slice(1)}${byText(event, commit)}`]);
  }
}

/** Its first character is the sign of the change. */
function eventText(event: WatchEvent, before: WatchedMessage | undefined, zone: Zone): string {
  const { kind, name, deleted, object, health } = event;
  if (deleted) return `- ${kind} ${cellText(name)}`;
  const message = health ?? object?.object.value;
  const isNew = message?.meta?.generation === 1n && before === undefined;
  const head = `${isNew ? "+" : "~"} ${kind} ${cellText(name)}`;
  if (message === undefined) return head;
  const entry = kindNamed(kind);
  const changes = before === undefined || health !== undefined ? [] : fieldChanges(entry.kind, before, message);
  if (changes.length > 0)
    return [head, ...changes.map(({ path, from, to }) => cellText(changeText(path, from, to)))].join("  ");
  // The name is already in the line.
  const facts = entry
    .show(message, zone)
    .cells.map(pieceText)
    .slice(entry.nameCells ?? 1);
  return [head, ...facts.filter((cell) => cell !== "-").map(cellText)].join("  ");
}

function changeText(path: string, from: JsonValue | undefined, to: JsonValue | undefined): string {
  return fieldText({
    path,
    from: from === undefined ? "" : jsonText(from).trimEnd(),
    to: to === undefined ? "" : jsonText(to).trimEnd(),
  });
}

/** `  by cli:alice, apply: more traffic`. */
function byText({ health }: WatchEvent, commit: WatchCommit | undefined): string {
  const actor = commit?.actor ?? health?.actor ?? "";
  if (actor === "") return "";
  const reason = commit === undefined || commit.reason === "" ? "" : `: ${commit.reason}`;
  return `  by ${cellText(`${actor}${commit === undefined ? "" : `, ${commit.operation}`}${reason}`)}`;
}

function nowOf({ clock }: CliIo) {
  return instantOfMs(clock.now());
}
