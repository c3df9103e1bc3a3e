import { didYouMean } from "../schema/did-you-mean.ts";
import { wrongUsage } from "./exit.ts";
import type { KindEntry } from "./kind-entry.ts";
import { KIND_ENTRIES } from "./kinds.ts";

/** The words for a kind: `service`, `services`, `svc`. */
export function kindWords({ kind, plural, short }: KindEntry): readonly string[] {
  return [kind, plural, ...(short === undefined ? [] : [short])];
}

/** The kind that a word means, in any of its forms; undefined when there is none. */
export function findKind(text: string): KindEntry | undefined {
  const wanted = text.toLowerCase();
  return KIND_ENTRIES.find((entry) => kindWords(entry).includes(wanted));
}

/**
 * The same, but never undefined.
 *
 * @throws CliFailure `usage` for an unknown kind; the message suggests the nearest one and lists all.
 */
export function kindNamed(text: string): KindEntry {
  const entry = findKind(text);
  if (entry !== undefined) return entry;
  const near = didYouMean(
    text,
    KIND_ENTRIES.flatMap(({ kind, plural }) => [kind, plural]),
  );
  throw wrongUsage([`unknown kind "${text}"${near}`, `the kind must be ${kindsText()}`]);
}

/** `service (svc), policy (pol) or health`, for help and messages. */
export function kindsText(entries: readonly KindEntry[] = KIND_ENTRIES): string {
  const texts = entries.map(({ kind, short }) => (short === undefined ? kind : `${kind} (${short})`));
  return `${texts.slice(0, -1).join(", ")} or ${texts.at(-1)}`;
}

export interface ObjectReference {
  /** As it was written. */
  readonly kind: string;
  /** Absent where only a kind was given. */
  readonly name?: string;
}

/** A kind has no slash, so it ends at the first one: `backend/shop/shop-1` is the backend `shop/shop-1`. */
export function splitReference(text: string): ObjectReference {
  const at = text.indexOf("/");
  return at < 0 ? { kind: text } : { kind: text.slice(0, at), name: text.slice(at + 1) };
}

/**
 * An object as `KIND NAME` or as `KIND/NAME`. A name after a separate kind is taken as it is, whatever slashes it has.
 *
 * @throws CliFailure `usage` when both forms are combined, or no name follows the slash.
 */
export function objectReference(word: string, more?: string): ObjectReference {
  const { kind, name } = splitReference(word);
  if (name === undefined) return more === undefined ? { kind } : { kind, name: more };
  if (more !== undefined) throw wrongUsage(`"${word}" already names an object: "${more}" is one name too many`);
  if (name === "") throw wrongUsage(`"${word}" names no object: put its name after the slash`);
  return { kind, name };
}

/** The same, for a command that needs a name. */
export function namedObject(word: string, more?: string): Required<ObjectReference> {
  const { kind, name } = objectReference(word, more);
  if (name === undefined) throw wrongUsage("name the object: KIND NAME or KIND/NAME");
  return { kind, name };
}

/** `SERVICE/BACKEND`, even when it was written as an object: `backend/SERVICE/BACKEND`. */
export function plainBackendName(text: string): string {
  const [kind = "", ...rest] = text.split("/");
  return rest.length === 2 && findKind(kind) === findKind("backend") ? rest.join("/") : text;
}
