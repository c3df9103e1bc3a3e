/** Where records of a kind are stored besides the objects, and as which bytes. */
export interface RecordForm<T> {
  /** What their keys begin with. */
  readonly keys: string;
  /** As in `it is not a valid share of checks`. */
  readonly what: string;
  /** @param name Made of key tokens; empty where there is one record of the kind. */
  key(name: string): string;
  /** Undefined for a key that `key` never makes. */
  nameOf(key: string): string | undefined;
  encode(content: T): Uint8Array;
  /** Returns undefined, or throws any error, for bytes of another form. */
  decode(bytes: Uint8Array): T | undefined;
  /** What counts where a record has another form, so nothing is opened by mistake; absent: as if there were no record. */
  readonly unread?: T;
}

/** What bytes hold; undefined where they are of another form. */
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

/** A record for each name, which is made of key tokens. */
export function below(keys: string): Pick<RecordForm<unknown>, "keys" | "key" | "nameOf"> {
  return { keys, key: (name) => keys + name, nameOf: (key) => key.slice(keys.length) };
}

export function writeText(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function readText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** @throws SyntaxError for anything that is not JSON, and TypeError for `null` once a field of it is read. */
export function readFields(bytes: Uint8Array): Record<string, unknown> {
  return JSON.parse(readText(bytes)) as Record<string, unknown>;
}
