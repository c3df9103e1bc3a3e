import {
  Change_Action as Action,
  type AddressMove,
  type ApplyResponse,
  type Change,
  type FieldChange,
  type ObjectCondition,
  type Reach,
  type ReachType,
  AddressMove_Way as Way,
} from "../gen/fairlead/admin/v1/apply_pb.ts";
import { type Line, type Piece, type Tone, toned } from "./line.ts";
import { cellText, columnWidth, padCell } from "./table.ts";

const SIGN: Readonly<Record<number, string>> = { [Action.CREATE]: "+", [Action.UPDATE]: "~", [Action.DELETE]: "-" };
const SIGN_TONES: Readonly<Record<string, Tone>> = { "+": "good", "~": "warn", "-": "bad" };
const VALUE_LENGTH_MAX = 60;

/** What an apply or a rollback did, or what a dry run of it would do. */
export function summaryLines(
  { changes, conditions, reach, revision }: Pick<ApplyResponse, "changes" | "conditions" | "reach" | "revision">,
  { dryRun }: { readonly dryRun?: true },
): Line[] {
  const written = revision === "" ? [] : [`Revision ${revision}.`];
  const end = dryRun === true ? dryRunTexts(reach) : written;
  const summary = `  ${[renderCounts(changes), ...end].join(" ")}`;
  return [...changeLines(changes), ...conditionLines(conditions), ...moveLines(reach), summary];
}

/** How a dry run ends: what it would reach, and that it did not. */
export function dryRunTexts(reach: readonly Reach[]): readonly string[] {
  return [...reach.map(renderReach), "Dry run: nothing was changed."];
}

/** One line for each object that changes, and one for each of its further fields. */
export function changeLines(changes: readonly Change[]): Line[] {
  const changed = changes.filter(({ action }) => SIGN[action] !== undefined);
  const width = Math.max(16, columnWidth(changed.map(objectText)));
  return changed.flatMap((change) => {
    const [first = "", ...more] = change.fields.map(fieldText);
    const object = first === "" ? objectText(change) : `${padCell(objectText(change), width)}  ${first}`;
    return [
      ["  ", signPiece(SIGN[change.action] ?? ""), ` ${object}`],
      ...more.map((text) => `${" ".repeat(width + 6)}${text}`),
    ];
  });
}

/** What is still wrong after the change: `  ! route shop        UnknownService: there is no service cart`. */
function conditionLines(conditions: readonly ObjectCondition[]): Line[] {
  const width = Math.max(16, columnWidth(conditions.map(objectText)));
  return conditions.map((one) => [
    "  ",
    toned("warn", "!"),
    ` ${padCell(objectText(one), width)}  ${one.condition?.reason}: ${one.condition?.message}`,
  ]);
}

/** `+`, `~` or `-`, before what was made, changed or deleted. */
export function signPiece(sign: string): Piece {
  const tone = SIGN_TONES[sign];
  return tone === undefined ? sign : toned(tone, sign);
}

export function hasChanges(changes: readonly Change[]): boolean {
  return changes.some(({ action }) => SIGN[action] !== undefined);
}

/** `2 changes, 5 unchanged.` */
function renderCounts(changes: readonly Change[]): string {
  const changed = changes.filter(({ action }) => SIGN[action] !== undefined).length;
  const unchanged = changes.length - changed;
  const parts = [changed === 0 ? "no change" : counted(changed, "change")];
  if (unchanged > 0) parts.push(`${unchanged} unchanged`);
  return `${parts.join(", ")}.`;
}

/** `Reaches 12 proxies of fleet edge: 1 route configuration, 1.9 KB`. */
export function renderReach({ fleet, proxies, types }: Reach): string {
  const bytes = types.reduce((sum, type) => sum + Number(type.bytes), 0);
  const parts = types.flatMap(typeParts);
  const what = parts.length === 0 ? "nothing is sent" : `${parts.join(", ")}; ${formatBytes(bytes)} each`;
  return `Reaches ${counted(proxies, "proxy", "proxies")} of fleet ${fleet}: ${what}.`;
}

/** Addresses that change hands, one line each: `  > 127.0.0.1:80     a releases it before b takes it`. */
export function moveLines(reach: readonly Reach[]): string[] {
  const moves = reach.flatMap(({ addressMoves }) => addressMoves);
  const width = Math.max(16, columnWidth(moves.map(({ address }) => cellText(address))));
  return moves.map((move) => `  > ${padCell(cellText(move.address), width)}  ${moveText(move)}`);
}

function moveText({ from, to, way }: AddressMove): string {
  const [leaving, taking] = [cellText(from), cellText(to)];
  if (way === Way.IN_TURN) return `${leaving} releases it before ${taking} takes it`;
  const gap = "a few milliseconds without a listener";
  if (way === Way.AFTER_DELETION) return `${leaving} is removed and ${taking} takes it at once: ${gap}`;
  if (way !== Way.CLOSED_FIRST) return `passes from ${leaving} to ${taking}`;
  return `listeners swap addresses, for which ${taking} is closed and opened again: ${gap}`;
}

const RESOURCE: Readonly<Record<string, string>> = {
  CDS: "cluster",
  EDS: "endpoint set",
  LDS: "listener",
  RDS: "route configuration",
};

function typeParts({ type, changed, removed }: ReachType): string[] {
  const noun = RESOURCE[type] ?? type;
  const parts = changed > 0 ? [counted(changed, noun)] : [];
  return removed > 0 ? [...parts, `${counted(removed, noun)} removed`] : parts;
}

function objectText({ kind, name }: Pick<Change, "kind" | "name">): string {
  return cellText(`${kind} ${name}`);
}

/** `weight 1 → 2` */
export function fieldText({ path, from, to }: Pick<FieldChange, "path" | "from" | "to">): string {
  return `${path} ${valueText(from)} → ${valueText(to)}`;
}

function valueText(json: string): string {
  if (json === "") return "(none)";
  return json.length > VALUE_LENGTH_MAX ? `${json.slice(0, VALUE_LENGTH_MAX - 1)}…` : json;
}

function counted(count: number, one: string, many: string = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

export function formatBytes(bytes: number): string {
  return bytes < 1000
    ? `${bytes} bytes`
    : bytes < 1_000_000
      ? `${(bytes / 1000).toFixed(1)} KB`
      : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
