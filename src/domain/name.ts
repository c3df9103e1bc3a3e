/** The form of one id in a name. */
interface IdForm {
  readonly text: RegExp;
  /** What it must be, for errors: `must be a DNS label (…), not "x"`. */
  readonly what: string;
}

const DNS_LABEL: IdForm = {
  text: /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  what: "a DNS label (1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends)",
};
const SOURCE: IdForm = {
  text: /^(override|prober|reporter:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)$/,
  what: "a source (`override`, `prober` or `reporter:ID`)",
};

/** How the objects of a kind are named. */
interface Naming {
  /** The words of its keys, one for each id. A kind with several lies below the kinds that have the first of them. */
  readonly path: readonly [string, ...string[]];
  readonly example?: string;
  /** The form of the last id, where it is not a DNS label like the others. */
  readonly lastId?: IdForm;
}

/** Every kind of object that is stored. A new kind begins here; the compiler asks for everything else that it needs. */
const NAMING = {
  service: { path: ["services"] },
  policy: { path: ["policies"] },
  backend: { path: ["services", "backends"], example: "a backend is SERVICE/ID, for example `shop/shop-1`" },
  health: {
    path: ["services", "backends", "health"],
    example: "a verdict is SERVICE/ID/SOURCE, for example `shop/shop-1/reporter:probe-a`",
    lastId: SOURCE,
  },
  listener: { path: ["listeners"] },
  route: { path: ["routes"] },
  fleet: { path: ["fleets"] },
} as const satisfies Readonly<Record<string, Naming>>;

export type Kind = keyof typeof NAMING;
/** The kinds whose objects are parts of one of another kind: a backend of its service, a verdict of its backend. */
export type PartKind = { [K in Kind]: (typeof NAMING)[K]["path"]["length"] extends 1 ? never : K }[Kind];

type Last<Words extends readonly string[]> = Words extends readonly [...string[], infer W extends string] ? W : never;
/** As collections of a kind are called: `services`. */
export type Plural<K extends Kind> = Last<(typeof NAMING)[K]["path"]>;

export const KINDS = Object.keys(NAMING) as readonly Kind[];

/**
 * A name as people read and write it, unique among the objects of its kind: `shop`, `shop/shop-1` for a backend,
 * `shop/shop-1/reporter:a` for a verdict on it. Outside the project `default` it is the full form,
 * `projects/P/services/S…`.
 */
export type Name = string;

/** An object, whether it exists or not. */
export interface ObjectId<K extends Kind = Kind> {
  readonly kind: K;
  readonly name: Name;
}

export const DEFAULT_PROJECT = "default";

const KIND_OF = new Map(KINDS.map((kind) => [pathOf(kind).join("/"), kind]));
/** The kind of the objects that objects of a kind are parts of. */
export const PARENT_KIND = Object.fromEntries(
  KINDS.map((kind) => [kind, KIND_OF.get(pathOf(kind).slice(0, -1).join("/"))]),
) as { readonly [K in Kind]: Kind | undefined };

/** The parts of a name. `ids` has one entry, two for a backend, three for a verdict. */
export interface NameParts {
  readonly project: string;
  readonly ids: readonly string[];
}

export type ParsedName = { ok: true; parts: NameParts } | { ok: false; message: string };

/**
 * Reads a name of a kind: `shop`, `services/shop` or `projects/P/services/shop`; for a backend `shop/shop-1`,
 * `services/shop/backends/shop-1` and so on. A short name belongs to `project`.
 */
export function parseName(kind: Kind, text: string, project: string = DEFAULT_PROJECT): ParsedName {
  const { example = "for example `shop`" }: Naming = NAMING[kind];
  if (text === "") return { ok: false, message: `must not be empty; ${example}` };
  let rest = text.split("/");
  let owner = project;
  if (rest[0] === "projects" && rest.length > 2) {
    owner = rest[1] ?? "";
    rest = rest.slice(2);
  }
  const words = pathOf(kind);
  const full = rest.length === words.length * 2 && words.every((word, i) => rest[i * 2] === word);
  const ids = full ? rest.filter((_, i) => i % 2 === 1) : rest;
  if (ids.length !== words.length) {
    return { ok: false, message: `must be the name of a ${kind}, not "${text}"; ${example}` };
  }
  for (const [i, id] of [owner, ...ids].entries()) {
    const form = idForm(kind, i - 1);
    if (!form.text.test(id)) return { ok: false, message: `must be ${form.what}, not "${id}"` };
  }
  return { ok: true, parts: { project: owner, ids } };
}

/** What every name that `parseName` reads looks like. */
export function namePattern(kind: Kind): RegExp {
  const words = pathOf(kind);
  const ids = words.map((_, i) => `(?:${idForm(kind, i).text.source.slice(1, -1)})`);
  const full = words.map((word, i) => `${word}/${ids[i]}`);
  return new RegExp(`^(?:projects/${DNS_LABEL.text.source.slice(1, -1)}/)?(?:${ids.join("/")}|${full.join("/")})$`);
}

/** The one spelling of a name: short in the default project, full elsewhere. */
export function formatName(kind: Kind, parts: NameParts): Name {
  if (parts.project === DEFAULT_PROJECT) return parts.ids.join("/");
  const path = pathOf(kind).flatMap((word, i) => [word, parts.ids[i] ?? ""]);
  return ["projects", parts.project, ...path].join("/");
}

/** The parts of a name that `formatName` made. */
export function partsOf(kind: Kind, name: Name): NameParts {
  const parsed = parseName(kind, name);
  if (!parsed.ok) throw new Error(`${kind} "${name}" ${parsed.message}`);
  return parsed.parts;
}

/** As manifests and the API write it: `Service`. */
export function titleOf<K extends Kind>(kind: K): Capitalize<K> {
  return `${kind.charAt(0).toUpperCase()}${kind.slice(1)}` as Capitalize<K>;
}

/** As collections of it are called: `services`. */
export function pluralOf<K extends Kind>(kind: K): Plural<K> {
  return pathOf(kind).at(-1) as Plural<K>;
}

export function isPart(kind: Kind): kind is PartKind {
  return pathOf(kind).length > 1;
}

/** The object that an object is a part of. */
export function parentOf({ kind, name }: ObjectId): ObjectId | undefined {
  const parent = PARENT_KIND[kind];
  return parent && { kind: parent, name: above(kind, name, parent) };
}

/** The name with the same ids for another kind; a short name stays the same. */
export function namesake(name: Name, kind: Kind, other: Kind): Name {
  return name.includes("/") ? formatName(other, partsOf(kind, name)) : name;
}

/** The service that a backend belongs to. */
export function serviceOf(backend: Name): Name {
  return above("backend", backend, "service");
}

/** The backend that a verdict is about. */
export function backendOf(health: Name): Name {
  return above("health", health, "backend");
}

/** Whether the objects of a kind are parts of services, at any depth. */
export function isBelowService(kind: Kind): boolean {
  return isPart(kind) && pathOf(kind)[0] === NAMING.service.path[0];
}

/** The service that an object is, or is a part of at any depth. */
export function serviceOfObject(kind: Kind, name: Name): Name | undefined {
  return pathOf(kind)[0] === NAMING.service.path[0] ? above(kind, name, "service") : undefined;
}

/** The name of an object's ancestor, or its own. */
function above(kind: Kind, name: Name, ancestor: Kind): Name {
  const [depth, wanted] = [pathOf(kind).length, pathOf(ancestor).length];
  // In the default project it is the text before one of the slashes, so nothing has to be parsed.
  let [end, at, slashes] = [name.length, name.indexOf("/"), 0];
  for (; at >= 0; at = name.indexOf("/", at + 1)) if (++slashes === wanted) end = at;
  if (slashes === depth - 1) return name.slice(0, end);
  const { project, ids } = partsOf(kind, name);
  return formatName(ancestor, { project, ids: ids.slice(0, wanted) });
}

/**
 * The store key of an object: `projects/default/services/shop/backends/shop-1`. Tokens hold only letters, digits, `-` and
 * `_`, which any store accepts; the colon of a source becomes `_`.
 */
export function storeKey(kind: Kind, name: Name): string {
  const { project, ids } = partsOf(kind, name);
  const path = pathOf(kind).flatMap((word, i) => [word, (ids[i] ?? "").replace(":", "_")]);
  return ["projects", project, ...path].join("/");
}

/** The prefix of the keys of objects in the store. */
export const OBJECT_KEYS = "projects/";

/** The object that a store key belongs to; undefined for keys with another purpose and those that `storeKey` never makes. */
export function parseStoreKey(key: string): ObjectId | undefined {
  const { project, words, ids } = splitKey(key);
  const kind = KIND_OF.get(words.join("/"));
  if (kind === undefined || ids.some((id) => id.includes(":"))) return undefined;
  const named = ids.map((id) => id.replace("_", ":"));
  if (!named.every((id, i) => idForm(kind, i).text.test(id))) return undefined;
  return { kind, name: formatName(kind, { project, ids: named }) };
}

/** The words and ids that take turns in an object's key; none for a key of another form. */
function splitKey(key: string): { readonly project: string; readonly words: string[]; readonly ids: string[] } {
  const [projects, project = "", ...path] = key.split("/");
  const isForm = projects === "projects" && DNS_LABEL.text.test(project) && path.length % 2 === 0;
  const everyOther = (from: 0 | 1) => (isForm ? path.filter((_, i) => i % 2 === from) : []);
  return { project, words: everyOther(0), ids: everyOther(1) };
}

/** The name of an object of this kind that a store key belongs to. */
export function parseKeyOf(kind: Kind, key: string): Name | undefined {
  const id = parseStoreKey(key);
  return id?.kind === kind ? id.name : undefined;
}

/** Whether a key looks like that of an object of a kind that this release does not have. */
export function isOfUnknownKind(key: string): boolean {
  const { words, ids } = splitKey(key);
  const isForm =
    words.every((word) => DNS_LABEL.text.test(word)) && ids.every((id) => /^[a-z0-9][a-z0-9_-]*$/.test(id));
  return words.length > 0 && isForm && !KIND_OF.has(words.join("/"));
}

/** The service that a key below `projects/` lies under, whatever its kind. */
export function serviceOfKey(key: string): Name | undefined {
  const [, project = "", collection, id = ""] = key.split("/");
  if (collection !== "services" || ![project, id].every((label) => DNS_LABEL.text.test(label))) return undefined;
  return formatName("service", { project, ids: [id] });
}

function pathOf(kind: Kind): readonly string[] {
  return NAMING[kind].path;
}

function idForm(kind: Kind, index: number): IdForm {
  const { path, lastId = DNS_LABEL }: Naming = NAMING[kind];
  return index === path.length - 1 ? lastId : DNS_LABEL;
}
