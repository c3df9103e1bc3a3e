import { addressText } from "../domain/backend.ts";
import { readBackendNetwork } from "../domain/backend-networks.ts";
import {
  MAX_HEADER_NAME_LENGTH,
  MAX_HEADER_VALUE_LENGTH,
  MAX_HOST_LENGTH,
  MAX_PATH_LENGTH,
  MAX_PIPE_PATH_BYTES,
  MAX_REGEX_LENGTH,
} from "../domain/limits.ts";
import { type Kind, namePattern } from "../domain/name.ts";
import type { TextForm } from "./facts.ts";
import { checkAddress, checkName } from "./field-checks.ts";
import {
  checkHost,
  checkHostPattern,
  checkMatchedHeader,
  checkMatchedPath,
  checkPath,
  HOST_LABEL,
  NORMAL_PATH,
  PATH_CHARACTERS,
  PSEUDO_HEADERS,
  TOKEN,
} from "./http-checks.ts";
import { REGEX_CHARACTERS } from "./regex-check.ts";

/** The name of an object. */
export function nameOf(kind: Kind): TextForm {
  return { patterns: [namePattern(kind)], read: (report, field, text) => checkName(report, field, kind, text) };
}

/** `10.0.4.7:9001`, `[2001:db8::1]:9001`. */
export const ADDRESS: TextForm = {
  patterns: [/^(?:\[[0-9A-Fa-f:.]*\]|[0-9]{1,3}(?:\.[0-9]{1,3}){3}):[0-9]{1,10}$/],
  read: (report, field, text) => {
    const address = checkAddress(report, field, text);
    return address === undefined ? text : addressText(address);
  },
};

/** The path of a Unix socket. */
export const PIPE: TextForm = {
  patterns: [new RegExp(`^/[^\\x00]{0,${MAX_PIPE_PATH_BYTES - 1}}$`)],
  read: (report, field, path) => {
    const bytes = new TextEncoder().encode(path).length;
    if (!path.startsWith("/") || path.includes("\0") || bytes > MAX_PIPE_PATH_BYTES)
      report(field, `must be an absolute path of at most ${MAX_PIPE_PATH_BYTES} bytes, none of them zero`);
    return path;
  },
};

/** Where backends may be: a network, an address or a path. */
export const BACKEND_NETWORK: TextForm = {
  patterns: [/^(?:\/(?:.|\s)*|(?:\[[0-9A-Fa-f:.]*\]|[0-9.]+):[0-9]{1,5}|[0-9A-Fa-f:.]+\/[0-9]{1,3})$/],
  read: (report, field, text) => {
    const read = readBackendNetwork(text);
    if (read.ok) return read.text;
    report(field, read.message);
    return text;
  },
};

export const PATH: TextForm = {
  patterns: [/^\//, PATH_CHARACTERS, NORMAL_PATH],
  maxLength: MAX_PATH_LENGTH,
  read: checkPath,
};

/** A path that requests must have. */
export const MATCHED_PATH: TextForm = { ...PATH, read: checkMatchedPath };

/** Whole segments are matched, so a slash at the end means nothing. */
export const MATCHED_PREFIX: TextForm = {
  ...PATH,
  read: (report, field, text) => checkMatchedPath(report, field, text).replace(/(.)\/$/, "$1"),
};

/** The name of a header that requests must have. */
export const MATCHED_HEADER: TextForm = {
  patterns: [new RegExp(`^(?:${PSEUDO_HEADERS.map(inAnyCase).join("|")}|${bare(TOKEN)})$`)],
  maxLength: MAX_HEADER_NAME_LENGTH,
  read: checkMatchedHeader,
};

export const HEADER_VALUE: TextForm = { isNeverEmpty: true, maxLength: MAX_HEADER_VALUE_LENGTH };

/** A regular expression (RE2); what it is to match is checked where that is known. */
export const REGEX: TextForm = { patterns: [REGEX_CHARACTERS], isNeverEmpty: true, maxLength: MAX_REGEX_LENGTH };

const LABEL = bare(HOST_LABEL).replaceAll("a-z", "A-Za-z");
const HOST_TEXT = `(?:${LABEL}(?:\\.${LABEL})*|\\[[^\\]]*\\])`;

/** `shop.example`, `*.shop.example`, `*`. */
export const HOST_PATTERN: TextForm = {
  patterns: [new RegExp(`^(?:\\*|(?:\\*\\.)?${HOST_TEXT})$`)],
  maxLength: MAX_HOST_LENGTH,
  read: checkHostPattern,
};

export const HOST: TextForm = {
  patterns: [new RegExp(`^${HOST_TEXT}$`)],
  maxLength: MAX_HOST_LENGTH,
  read: (report, field, text) => {
    checkHost(report, field, text.toLowerCase());
    return text;
  },
};

function inAnyCase(word: string): string {
  return word.replaceAll(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
}

/** None of these words, in any case. */
export function noneOf(words: readonly string[]): RegExp {
  return new RegExp(`^(?!(?:${words.map(inAnyCase).join("|")})$)`);
}

/** A pattern without its anchors. */
function bare({ source }: RegExp): string {
  return source.slice(1, -1);
}
