/** A set of texts, as an automaton that reads single characters: it has a state for each beginning of a text. */
export interface TextShape {
  readonly start: string;
  /** The state after one more character; undefined where no text of the set continues that way. */
  readonly step: (state: string, character: string) => string | undefined;
  /** Whether what was read is a text of the set. */
  readonly isWhole: (state: string) => boolean;
}

/** A character that needs no escape (RFC 3986, "Unreserved Characters"). */
export const UNRESERVED = /[A-Za-z0-9._~-]/;
/** A control character that no header value may have: not a tab, and none beyond ASCII, where Unicode has some too. */
export const CONTROL_CHARACTER = /[^\P{Cc}\t\u0080-\u009f]/u;

/** Texts that begin with a slash. */
export const ROOTED: TextShape = {
  start: "",
  step: (state, character) => (state === "" && character !== "/" ? undefined : "/"),
  isWhole: (state) => state !== "",
};

/**
 * Paths as proxies match them, without a query. They escape, resolve, merge or refuse everything else; a state is the end
 * of what was read, as far as it matters: dots of a segment, and what may become an escape.
 */
export const MATCHED_PATH: TextShape = { start: "", step: stepPath, isWhole: isWholePath };

/** Such a path, with or without a query behind it. */
export const MATCHED_PATH_AND_QUERY: TextShape = {
  start: "",
  step: (state, character) => {
    if (state === "?") return CONTROL_CHARACTER.test(character) ? undefined : "?";
    return character === "?" && isWholePath(state) ? "?" : stepPath(state, character);
  },
  isWhole: (state) => state === "?" || isWholePath(state),
};

/** Values that a header may have; blanks around one do not belong to it. */
export const HEADER_VALUE: TextShape = {
  start: "",
  step: (state, character) => {
    if (CONTROL_CHARACTER.test(character)) return undefined;
    if (!/[ \t]/.test(character)) return "x";
    return state === "" ? undefined : " ";
  },
  isWhole: (state) => state !== " ",
};

function stepPath(state: string, character: string): string | undefined {
  switch (state) {
    case "":
      return character === "/" ? "^/" : undefined;
    case "^/":
      // Two slashes are left only in a path that has nothing but slashes.
      return character === "/" ? "^//" : stepPath("/", character);
    case "^//":
      return undefined;
  }
  if (/[^!-~]|["<>^`{|}\\?#]/.test(character)) return undefined;
  if (character === "/") return /^\/\.{0,2}$/.test(state) ? undefined : "/";
  if (character === "%") return "%";
  if (character === "." && (state === "/" || state === "/.")) return `${state}.`;
  if (!/[0-9A-Fa-f]/.test(character) || !state.startsWith("%")) return "x";
  return state === "%" ? `%${character}` : afterEscape(Number.parseInt(state.slice(1) + character, 16));
}

/** Escaped slashes are redirected, NUL is refused, and what needs no escape has none. */
function afterEscape(code: number): string | undefined {
  return UNRESERVED.test(String.fromCharCode(code)) || [0x2f, 0x5c, 0].includes(code) ? undefined : "x";
}

function isWholePath(state: string): boolean {
  return state !== "" && state !== "/." && state !== "/..";
}
