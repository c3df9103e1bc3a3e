/** The kinds of stored objects. */
export const KINDS = ["service", "policy", "backend", "health", "listener", "route", "fleet"] as const;
export type Kind = (typeof KINDS)[number];

/**
 * A name as people read and write it, unique among the objects of its kind: `shop`, `shop/shop-1` for a backend,
 * `shop/shop-1/reporter:a` for a verdict on it. Outside the project `default` it is the full form,
 * `projects/P/services/S…`.
 */
export type Name = string;

export const DEFAULT_PROJECT = "default";

const COLLECTIONS: Record<Kind, readonly string[]> = {
  service: ["services"],
  policy: ["policies"],
  backend: ["services", "backends"],
  health: ["services", "backends", "health"],
  listener: ["listeners"],
  route: ["routes"],
  fleet: ["fleets"],
};
const KIND_OF = new Map(KINDS.map((kind) => [COLLECTIONS[kind].join("/"), kind]));

/** A name taken apart. `ids` has one entry, two for a backend, three for a verdict. */
export interface NameParts {
  readonly project: string;
  readonly ids: readonly string[];
}

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const SOURCE = /^(override|prober|reporter:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)$/;
const STORED_ID = /^[a-z0-9][a-z0-9_-]*$/;
/** As it stands in a key. */
const STORED_SOURCE = /^(override|prober|reporter_[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)$/;

export type ParsedName = { ok: true; parts: NameParts } | { ok: false; message: string };

/**
 * Reads a name of a kind: `shop`, `services/shop` or `projects/P/services/shop`; for a backend `shop/shop-1`,
 * `services/shop/backends/shop-1` and so on. A short name belongs to `project`.
 */
export function parseName(kind: Kind, text: string, project: string = DEFAULT_PROJECT): ParsedName {
  if (text === "") return { ok: false, message: `must not be empty; ${example(kind)}` };
  let rest = text.split("/");
  let owner = project;
  if (rest[0] === "projects" && rest.length > 2) {
    owner = rest[1] ?? "";
    rest = rest.slice(2);
  }
  const words = COLLECTIONS[kind];
  const full = rest.length === words.length * 2 && words.every((word, i) => rest[i * 2] === word);
  const ids = full ? rest.filter((_, i) => i % 2 === 1) : rest;
  if (ids.length !== words.length)
    return { ok: false, message: `"${text}" is not the name of a ${kind}; ${example(kind)}` };
  for (const id of [owner, ...ids.slice(0, kind === "health" ? 2 : undefined)]) {
    if (!LABEL.test(id)) {
      return {
        ok: false,
        message: `"${id}" is not a DNS label: 1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends`,
      };
    }
  }
  if (kind === "health" && !SOURCE.test(ids[2] ?? "")) {
    return { ok: false, message: `"${ids[2]}" is not a source: \`override\`, \`prober\` or \`reporter:ID\`` };
  }
  return { ok: true, parts: { project: owner, ids } };
}

/** The one spelling of a name: short in the default project, full elsewhere. */
export function formatName(kind: Kind, parts: NameParts): Name {
  if (parts.project === DEFAULT_PROJECT) return parts.ids.join("/");
  const path = COLLECTIONS[kind].flatMap((word, i) => [word, parts.ids[i] ?? ""]);
  return ["projects", parts.project, ...path].join("/");
}

/** Takes apart a name that `formatName` made. */
export function partsOf(kind: Kind, name: Name): NameParts {
  const parsed = parseName(kind, name);
  if (!parsed.ok) throw new Error(`${kind} "${name}" ${parsed.message}`);
  return parsed.parts;
}

/** The name with the same ids for another kind: where it is short, it is the same. */
export function namesake(name: Name, kind: Kind, other: Kind): Name {
  return name.includes("/") ? formatName(other, partsOf(kind, name)) : name;
}

/** The service that a backend belongs to. */
export function serviceOf(backend: Name): Name {
  // In the default project it is what comes before the first slash of one: nothing has to be taken apart.
  const slash = backend.indexOf("/");
  if (slash > 0 && backend.indexOf("/", slash + 1) < 0) return backend.slice(0, slash);
  const { project, ids } = partsOf("backend", backend);
  return formatName("service", { project, ids: ids.slice(0, 1) });
}

/** The backend that a verdict is about. */
export function backendOf(health: Name): Name {
  const { project, ids } = partsOf("health", health);
  return formatName("backend", { project, ids: ids.slice(0, 2) });
}

/**
 * The store key of an object: `projects/default/services/shop/backends/shop-1`. Tokens hold letters, digits, `-` and `_`
 * only, so that any store can take them; the colon of a source becomes `_`.
 */
export function storeKey(kind: Kind, name: Name): string {
  const { project, ids } = partsOf(kind, name);
  const path = COLLECTIONS[kind].flatMap((word, i) => [word, (ids[i] ?? "").replace(":", "_")]);
  return ["projects", project, ...path].join("/");
}

/** Below it the store keeps the objects. */
export const OBJECT_KEYS = "projects/";

/** The object that a store key belongs to; nothing for keys of another purpose, and for those that `storeKey` never makes. */
export function parseStoreKey(key: string): { kind: Kind; name: Name } | undefined {
  const [projects, project = "", ...path] = key.split("/");
  if (projects !== "projects" || !LABEL.test(project) || path.length % 2 === 1) return undefined;
  const kind = KIND_OF.get(path.filter((_, i) => i % 2 === 0).join("/"));
  if (kind === undefined) return undefined;
  const ids = path.filter((_, i) => i % 2 === 1);
  if (!ids.every((id, i) => (i === 2 ? STORED_SOURCE : LABEL).test(id))) return undefined;
  return { kind, name: formatName(kind, { project, ids: ids.map((id, i) => (i === 2 ? id.replace("_", ":") : id)) }) };
}

/** Whether a key is like that of an object, and the kind is one that this release does not have. */
export function isOfUnknownKind(key: string): boolean {
  const [projects, project = "", ...path] = key.split("/");
  if (projects !== "projects" || !LABEL.test(project) || path.length === 0 || path.length % 2 === 1) return false;
  const words = path.filter((_, i) => i % 2 === 0);
  const ids = path.filter((_, i) => i % 2 === 1);
  return (
    words.every((word) => LABEL.test(word)) && ids.every((id) => STORED_ID.test(id)) && !KIND_OF.has(words.join("/"))
  );
}

/** The service that a key below `projects/` lies under, of whatever kind it is. */
export function serviceOfKey(key: string): Name | undefined {
  const [, project = "", collection, id = ""] = key.split("/");
  if (collection !== "services" || !LABEL.test(project) || !LABEL.test(id)) return undefined;
  return formatName("service", { project, ids: [id] });
}

function example(kind: Kind): string {
  if (kind === "backend") return "a backend is SERVICE/ID, for example `shop/shop-1`";
  if (kind === "health") return "a verdict is SERVICE/ID/SOURCE, for example `shop/shop-1/reporter:probe-a`";
  return "for example `shop`";
}
