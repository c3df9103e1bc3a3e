/** Any text, such as a replica's name, as one token of a key; different texts are different tokens. */
export function keyToken(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_-]/g, (char) => `=${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
