const UNRESERVED = /%(?:2[DdEe]|3[0-9]|4[1-9A-Fa-f]|5[0-9AaFf]|6[1-9A-Fa-f]|7[0-9AaEe])/g;

/**
 * The path that proxies match, of the target of a request: without the query, with its dots resolved, what need not be
 * escaped decoded, and slashes merged. Nothing for a path with an escaped slash: they send its client to the other form.
 */
export function normalPath(target: string): string | undefined {
  const path = (target.split(/[?#]/, 1)[0] ?? "").replaceAll("\\", "/");
  if (/%(?:2f|5c)/i.test(path)) return undefined;
  const decoded = path.replaceAll(UNRESERVED, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)));
  const kept: string[] = [];
  const segments = decoded.split("/").slice(1);
  for (const [i, segment] of segments.entries()) {
    const isLast = i === segments.length - 1;
    if (segment === "..") kept.pop();
    if (segment !== "." && segment !== "..") kept.push(segment);
    else if (isLast) kept.push("");
  }
  return `/${kept.join("/")}`.replaceAll(/\/{2,}/g, "/");
}
