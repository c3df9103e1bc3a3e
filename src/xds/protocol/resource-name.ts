/** A collection name `xdstp://authority/type/path/*?params`, split for matching. */
export type Glob = { readonly prefix: string; readonly params: string };

/**
 * The form in which two spellings of one name are equal: unneeded percent-encoding is undone, and context parameters
 * are sorted. Other names are opaque and are returned as they are.
 *
 * @see xRFC TP1, "URI schemes", and xds R19
 */
export function canonicalName(name: string): string {
  if (!name.startsWith("xdstp://")) return name;
  const query = name.indexOf("?");
  const path = unescapePlain(query < 0 ? name : name.slice(0, query));
  if (query < 0) return path;
  const params = name
    .slice(query + 1)
    .split("&")
    .map(unescapePlain)
    .toSorted();
  return `${path}?${params.join("&")}`;
}

/** Reads a canonical name as a collection, or undefined when it names a single resource. */
export function parseGlob(name: string): Glob | undefined {
  if (!name.startsWith("xdstp://")) return undefined;
  const [path = "", params = ""] = name.split("?");
  return path.endsWith("/*") ? { prefix: path.slice(0, -1), params } : undefined;
}

/** The collection that a canonical name is a direct member of, or undefined when there is none. */
export function collectionOf(name: string): string | undefined {
  if (!name.startsWith("xdstp://")) return undefined;
  const query = name.indexOf("?");
  const end = query < 0 ? name.length : query;
  const slash = name.lastIndexOf("/", end - 1);
  return `${name.slice(0, slash + 1)}*${name.slice(end)}`;
}

/** True when the canonical name is a direct member of the collection, with the same context. */
export function isMember(glob: Glob, name: string): boolean {
  const from = glob.prefix.length;
  if (!name.startsWith(glob.prefix)) return false;
  const query = name.indexOf("?", from);
  const end = query < 0 ? name.length : query;
  const params = query < 0 ? "" : (name.slice(query).split("?")[1] ?? "");
  const slash = name.indexOf("/", from);
  return end > from && params === glob.params && (slash < 0 || slash >= end);
}

/** True when the name is a direct member of a namespace, which ends with its slash. */
export function isInNamespace(namespace: string, name: string): boolean {
  return name.startsWith(namespace) && name.lastIndexOf("/") === namespace.length - 1;
}

/** A name that no resource has; its removal says that the namespace is empty. */
export function nobodyIn(namespace: string): string {
  return `${namespace}${NOBODY}`;
}

export function isNobody(name: string): boolean {
  return name.endsWith(`/${NOBODY}`);
}

const NOBODY = "fairlead.none";

function unescapePlain(text: string): string {
  return text.replace(/%[0-9A-Fa-f]{2}/g, (escaped) => {
    const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : escaped.toUpperCase();
  });
}
