import { createHash } from "node:crypto";
import { badField } from "../object-errors.ts";

export const DEFAULT_PAGE_SIZE = 100;
export const MAX_PAGE_SIZE = 1000;
/** A page ends early rather than grow beyond what any gRPC client takes by default (4 MiB). */
const MAX_PAGE_BYTES = 3 * 1024 * 1024;

export interface Page<T> {
  readonly items: readonly T[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

/**
 * The names in order, after those of the earlier pages. A token holds the last name that was given, so that objects which
 * come and go between two pages shift nothing, and a digest of what was asked for.
 *
 * @throws ControlPlaneError `invalid` / `INVALID_FIELD` for a token of another request.
 */
export function pageOf<T>(
  names: Iterable<string>,
  { pageSize, pageToken }: { pageSize: number; pageToken: string },
  { filter, read, bytes }: { filter: string; read: (name: string) => T; bytes: (item: T) => number },
): Page<T> {
  const after = readToken(pageToken, filter);
  const sorted = [...names].filter((name) => after === undefined || name > after).sort();
  const limit = Math.min(pageSize === 0 ? DEFAULT_PAGE_SIZE : pageSize, MAX_PAGE_SIZE);
  const items: T[] = [];
  let size = 0;
  let last: string | undefined;
  for (const name of sorted) {
    if (items.length === limit || size > MAX_PAGE_BYTES) return { items, nextPageToken: token(last ?? name, filter) };
    const item = read(name);
    items.push(item);
    size += bytes(item);
    last = name;
  }
  return { items, nextPageToken: "" };
}

function token(last: string, filter: string): string {
  return Buffer.from(`${digest(filter)}:${last}`).toString("base64url");
}

function readToken(text: string, filter: string): string | undefined {
  if (text === "") return undefined;
  const decoded = Buffer.from(text, "base64url").toString();
  const [hash, ...name] = decoded.split(":");
  if (hash === digest(filter) && name.length > 0) return name.join(":");
  throw badField(
    "pageToken",
    "belongs to another request; repeat the fields of the request for the page before, or give no token",
  );
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 12);
}
