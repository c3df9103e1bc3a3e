import { UNRESERVED } from "./text-shape.ts";

/** Characters that proxies escape. */
const ESCAPED = /["<>^`{|}]/g;

/**
 * The path that proxies match for the target of a request, without the query. Undefined for a path with an escaped slash:
 * they redirect its client to the other form.
 */
export function matchedPath(target: string): string | undefined {
  const path = target.split(/[?#]/, 1)[0] ?? "";
  return /%(?:2f|5c)/i.test(path) ? undefined : normalPath(path);
}

/** A path as proxies match it: dots resolved, needless escapes decoded, necessary ones added, slashes merged. */
export function normalPath(path: string): string {
  const unescaped = path
    .replaceAll(/%2f/gi, "/")
    .replaceAll(/%5c|\\/gi, "/")
    .replaceAll(/%([0-9a-f]{2})/gi, (text, digits: string) => {
      const character = String.fromCharCode(Number.parseInt(digits, 16));
      return UNRESERVED.test(character) ? character : text;
    })
    .replaceAll(ESCAPED, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  const segments: string[] = [];
  const all = unescaped.slice(1).split("/");
  for (const [i, segment] of all.entries()) {
    // Since Envoy 1.40, the dots may have parameters behind them.
    const dots = /^(\.\.?)(;|$)/.exec(segment)?.[1];
    if (dots === "..") segments.pop();
    if (dots === undefined) segments.push(segment);
    else if (i === all.length - 1) segments.push("");
  }
  // Merged only now: two dots remove an empty segment, too.
  return `/${segments.join("/")}`.replaceAll(/\/{2,}/g, "/");
}
