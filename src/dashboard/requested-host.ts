/** The host that a `Host` header names, without its port; undefined if there is no header, as HTTP/1.0 allows. */
export function hostOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  return header.trim().toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
}
