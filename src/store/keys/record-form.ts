/** Where records of a kind are stored beside the objects, and as which bytes. */
export interface RecordForm<T> {
  /** Their keys begin so. */
  readonly keys: string;
  /** As in `it is no share of checks`. */
  readonly what: string;
  /** @param name Of tokens of a key; empty where there is one record of the kind. */
  key(name: string): string;
  /** Nothing for a key that `key` never makes. */
  nameOf(key: string): string | undefined;
  encode(content: T): Uint8Array;
  /** Nothing, or any error, for bytes of another form. */
  decode(bytes: Uint8Array): T | undefined;
  /** What counts where it was found in another form, so that nothing is opened by mistake; absent: as if it were not there. */
  readonly unread?: T;
}

/** What bytes hold; nothing where they are of another form. */
export function readForm<T>(form: Pick<RecordForm<T>, "decode">, bytes: Uint8Array): T | undefined {
  try {
    return form.decode(bytes);
  } catch {
    return undefined;
  }
}

/** One record of the kind, under a key of its own. */
export function single(key: string): Pick<RecordForm<unknown>, "keys" | "key" | "nameOf"> {
  return { keys: key, key: () => key, nameOf: (other) => (other === key ? "" : undefined) };
}

/** A record for each name, which is made of tokens of a key. */
export function below(keys: string): Pick<RecordForm<unknown>, "keys" | "key" | "nameOf"> {
  return { keys, key: (name) => keys + name, nameOf: (key) => key.slice(keys.length) };
}

export function writeText(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function readText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** @throws SyntaxError for what is no JSON, and TypeError for `null` once a field of it is read. */
export function readFields(bytes: Uint8Array): Record<string, unknown> {
  return JSON.parse(readText(bytes)) as Record<string, unknown>;
}
