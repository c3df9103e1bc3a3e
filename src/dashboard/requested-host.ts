/** The host that a `Host` header names, without its port; nothing where there is none, as HTTP/1.0 allows. */
export function hostOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  return header.trim().toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
}
