/** What texts of the repository cite: rules of xDS, laws, workloads of the bench, paths, links. */

export interface Text {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

/** What there is to cite. */
export interface Shelf {
  /** `R16`, as `docs/xds-rules.md` defines it. */
  readonly rules: ReadonlySet<string>;
  /** `6`, as `docs/concepts.md` numbers it. */
  readonly laws: ReadonlySet<string>;
  /** `W8`, as `docs/performance.md` lists it. */
  readonly workloads: ReadonlySet<string>;
  /** Whether a file or folder has this path, or a path that ends so. */
  readonly hasPath: (path: string) => boolean;
}

const ID = "[CDEPRSW]\\d{1,2}";
/** Between two of a list: a comma or a word, also at the end of a line of a comment, or a range. */
const BETWEEN = "(?:,?\\s+(?:(?:\\*|//|#)\\s+)?(?:(?:and|or)\\s+)?(?:xds\\s+)?|[-–])";
const CITED_RULES = new RegExp(`\\bxds\\s+(?:(?:\\*|//|#)\\s+)?(${ID}(?:${BETWEEN}${ID})*)(?!\\w)`, "g");
const BARE = new RegExp(`(?<![\\w%=/.-])${ID}(?![\\w.]\\w|\\w)`, "g");
const CITED_WORKLOADS = new RegExp(`\\bworkloads?\\s+(${ID}(?:${BETWEEN}${ID})*)`, "gi");
const CITED_LAWS = /\blaws?\s+(?:\*\s+)?(\d+(?:(?:, | and |[-–])\d+)*)/gi;

const EXTENSION = "(?:ts|mjs|js|md|txt|proto|go|sh)";
const FOLDER = "(?:bench|bin|compose|docs|envoy|proto|scripts|src|systemd|test)";
const SEGMENTS = "[\\w.-]+(?:/[\\w.-]+)*";
/** In backticks, the name of a file, or whatever begins with a folder of ours; elsewhere only a file with its whole path. */
const PATHS = new RegExp(
  `\`((?:${FOLDER}/(?:${SEGMENTS}/?)?|${SEGMENTS}\\.${EXTENSION}))\`|(?<![\\w./@:-])(${FOLDER}/${SEGMENTS}\\.${EXTENSION})(?![\\w/])`,
  "g",
);

/** Of the parts of it: there W1 is a workload, since the rules of xDS are not spoken of. */
export function speaksOfWorkloads(path: string): boolean {
  return path.startsWith("bench/") || path.startsWith("test/unit/bench/") || path === "docs/performance.md";
}

/** Citations of what is not there, and rules without the word that tells them from everything else: `path:line: complaint`. */
export function complaints({ path, text: whole }: Text, shelf: Shelf): string[] {
  // A rule's own place, in the book.
  const text = path === RULE_BOOK ? whole.replaceAll(DEFINITION, (found) => " ".repeat(found.length)) : whole;
  const found: [at: number, complaint: string][] = [];
  const seen = new Set<number>();
  const cite = (pattern: RegExp, known: ReadonlySet<string>, what: (id: string) => string) => {
    for (const list of text.matchAll(pattern)) {
      const start = list.index + list[0].length - (list[1]?.length ?? 0);
      for (const { 0: id, index } of (list[1] ?? "").matchAll(/[A-Z]?\d+/g)) {
        seen.add(start + index);
        if (!known.has(id)) found.push([start + index, `there is no ${what(id)}`]);
      }
    }
  };
  cite(CITED_RULES, shelf.rules, (id) => `rule xds ${id}`);
  cite(CITED_WORKLOADS, shelf.workloads, (id) => `workload ${id}`);
  cite(CITED_LAWS, shelf.laws, (id) => `law ${id}`);
  for (const { 0: id, index } of text.matchAll(BARE)) {
    const isWorkload = id.startsWith("W") && speaksOfWorkloads(path);
    if (seen.has(index) || !shelf.rules.has(id)) continue;
    if (!isWorkload) found.push([index, `${id} is "xds ${id}", or something else that is not to be taken for it`]);
    else if (!shelf.workloads.has(id)) found.push([index, `there is no workload ${id}`]);
  }
  for (const { 1: quoted, 2: plain, index } of prose({ path, text: whole }).matchAll(PATHS)) {
    const named = (quoted ?? plain ?? "").replace(/\/$/, "");
    if (!shelf.hasPath(named)) found.push([index, `there is no ${named}`]);
  }
  return found
    .toSorted(([a], [b]) => a - b)
    .map(([at, complaint]) => `${path}:${whole.slice(0, at).split("\n").length}: ${complaint}`);
}

export const RULE_BOOK = "docs/xds-rules.md";
const DEFINITION = new RegExp(`^\\*\\*(${ID})\\.\\*\\*`, "gm");

/** The rules that the book defines, each once. */
export function rulesOf(book: string): readonly string[] {
  return [...book.matchAll(DEFINITION)].map(([, id = ""]) => id);
}

/** The laws, by their numbers in the list. */
export function lawsOf(concepts: string): readonly string[] {
  const section = concepts.split(/^## /m).find((part) => part.startsWith("Laws\n")) ?? "";
  return [...section.matchAll(/^(\d+)\. \*\*/gm)].map(([, number = ""]) => number);
}

/** The workloads, by the rows of their table. */
export function workloadsOf(performance: string): readonly string[] {
  return [...performance.matchAll(/^\| (W\d) +\| /gm)].map(([, id = ""]) => id);
}

/** Of code the comments, at their places: in strings any path may be a request's, or one that a test makes. */
function prose({ path, text }: Text): string {
  if (!/\.(?:ts|mjs|go)$/.test(path)) return text;
  const blank = (code: string) => code.replaceAll(/[^\n]/g, " ");
  let kept = "";
  let at = 0;
  for (const { 0: comment, index } of text.matchAll(/(?<=^|\s)(?:\/\*.*?\*\/|\/\/ [^\n]*)/gms)) {
    kept += blank(text.slice(at, index)) + comment;
    at = index + comment.length;
  }
  return kept + blank(text.slice(at));
}
