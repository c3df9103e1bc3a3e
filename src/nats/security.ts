import { readFileSync } from "node:fs";
import {
  credsAuthenticator,
  type NodeConnectionOptions,
  nkeyAuthenticator,
  usernamePasswordAuthenticator,
} from "@nats-io/transport-node";
import { ControlPlaneError } from "../domain/errors.ts";

/** How to log in to the servers. */
export type NatsLogin =
  | { readonly kind: "user"; readonly user: string; readonly password: string }
  /** The password is in a file. */
  | { readonly kind: "passwordFile"; readonly user: string; readonly file: string }
  | { readonly kind: "token"; readonly token: string }
  /** A file with the seed of an nkey. */
  | { readonly kind: "nkey"; readonly file: string }
  /** A credentials file: a JWT and the seed of its user. */
  | { readonly kind: "creds"; readonly file: string };

/** TLS to the servers, from PEM files. Without a CA, those that Node knows are trusted. */
export interface NatsTls {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** Whether the server expects the TLS handshake before it sends anything. */
  readonly first: boolean;
}

export type NatsSecurity = Pick<NodeConnectionOptions, "tls" | "authenticator" | "user" | "pass" | "token">;

/**
 * Options for the client library. Files are read again for each connection, so they can be renewed.
 *
 * @throws ControlPlaneError `invalid` / `UNREADABLE_FILE` (`details.file`).
 */
export function natsSecurity(login: NatsLogin | undefined, tls: NatsTls | undefined): NatsSecurity {
  for (const file of [tls?.caFile, tls?.certFile, tls?.keyFile]) if (file !== undefined) read(file);
  const secured = tls && { tls: { ...tls, handshakeFirst: tls.first } };
  return { ...secured, ...(login && loginOptions(login)) };
}

function loginOptions(login: NatsLogin): NatsSecurity {
  switch (login.kind) {
    case "user":
      return { user: login.user, pass: login.password };
    case "passwordFile": {
      const content = contentOf(login.file);
      return { authenticator: usernamePasswordAuthenticator(login.user, () => textOf(content())) };
    }
    case "token":
      return { token: login.token };
    case "nkey": {
      const content = contentOf(login.file);
      return { authenticator: nkeyAuthenticator(() => new TextEncoder().encode(textOf(content()))) };
    }
    case "creds":
      return { authenticator: credsAuthenticator(contentOf(login.file)) };
  }
}

/** Without surrounding blanks and line ends. */
function textOf(content: Uint8Array): string {
  return new TextDecoder().decode(content).trim();
}

/** Reads the file's content; returns the last content while the file is gone for a moment. */
function contentOf(file: string): () => Uint8Array {
  let content = read(file);
  return () => {
    try {
      content = read(file);
    } catch {
      // The renewal of the file has not finished.
    }
    return content;
  };
}

function read(file: string): Uint8Array {
  let content: Uint8Array;
  try {
    content = readFileSync(file);
  } catch (cause) {
    throw unreadable(file, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (textOf(content) === "") throw unreadable(file, "it is empty");
  return content;
}

function unreadable(file: string, why: string, cause?: unknown): ControlPlaneError {
  const message = `cannot read ${file}: ${why}`;
  return new ControlPlaneError({ kind: "invalid", code: "UNREADABLE_FILE", message, details: { file }, cause });
}
