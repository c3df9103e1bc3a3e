import type { NatsLogin, NatsTls } from "../nats/security.ts";
import type { Setting } from "./setting.ts";

export const NATS_SETTINGS = [
  {
    key: "nats",
    placeholder: "URL[,URL…]",
    description:
      "keep the state in NATS JetStream instead, shared by several replicas: nats://[USER:PASSWORD@]HOST[:PORT], or tls://",
  },
  {
    key: "nats-bucket",
    placeholder: "NAME",
    description: "bucket for the state; it is created if it does not exist, and NAME-lease with it",
    default: "fairlead",
  },
  {
    key: "nats-replicas",
    placeholder: "COPIES",
    description: "how many servers keep a copy of each write: 1, 3 or 5; a single server can keep only 1",
    default: "3",
  },
  { key: "nats-user", placeholder: "NAME", description: "user name, unless it is in the URL" },
  {
    key: "nats-password",
    placeholder: "PASSWORD",
    description:
      "password of the user; better given in a file or the environment, since other users of the machine can see the options of a process",
  },
  { key: "nats-password-file", placeholder: "FILE", description: "file that contains the password of the user" },
  { key: "nats-nkey", placeholder: "FILE", description: "log in with the nkey whose seed is in this file" },
  { key: "nats-creds", placeholder: "FILE", description: "log in with this credentials file (JWT and seed)" },
  {
    key: "nats-tls-ca",
    placeholder: "FILE",
    description: "PEM file of the authorities that must have issued the server's certificate",
  },
  { key: "nats-tls-cert", placeholder: "FILE", description: "PEM file of the client certificate" },
  { key: "nats-tls-key", placeholder: "FILE", description: "PEM file of the private key of the client certificate" },
  {
    key: "nats-tls-first",
    placeholder: "",
    description: "begin each connection with the TLS handshake, as servers with handshake_first expect",
    flag: true,
  },
] as const satisfies readonly Setting[];

export type NatsSettingKey = (typeof NATS_SETTINGS)[number]["key"];

/** The store in NATS, as configured. */
export interface NatsConfig {
  readonly kind: "nats";
  /** Each is `HOST:PORT`, without credentials. */
  readonly servers: readonly string[];
  readonly bucket: string;
  /** How many servers keep each write. */
  readonly copies: number;
  readonly login: NatsLogin | undefined;
  readonly tls: NatsTls | undefined;
}

/** Where the values come from: `value` returns an empty text for an unset key; `bad` takes complaints. */
export interface NatsSettingSource {
  readonly value: (key: NatsSettingKey) => string;
  readonly flag: (key: NatsSettingKey) => boolean;
  readonly bad: (key: NatsSettingKey, message: string) => void;
}

/** Reads the settings of the store in NATS; says for each wrong one what would be right. */
export function readNatsConfig({ value, flag, bad }: NatsSettingSource): NatsConfig {
  const texts = value("nats").split(",");
  const mayHoldPassword = value("nats").includes("@");
  const urls = texts.flatMap((text, i) => {
    const url = parseUrl(text.trim());
    // A password with a comma or a slash in it may be in any part, so none of them is shown.
    const shown = mayHoldPassword ? `number ${i + 1} of ${texts.length}` : `"${text}"`;
    const hint = mayHoldPassword
      ? "; in a password, write characters other than letters and digits percent-encoded, such as %2F for a slash"
      : "";
    if (url === undefined) bad("nats", `${shown} is not the URL of a server, such as nats://10.0.0.1:4222${hint}`);
    return url ?? [];
  });
  const bucket = value("nats-bucket");
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(bucket)) {
    bad("nats-bucket", `"${bucket}" is not a valid bucket name: use 1 to 64 letters, digits, dashes and underscores`);
  }
  const copies = Number(value("nats-replicas"));
  if (![1, 3, 5].includes(copies)) bad("nats-replicas", `"${value("nats-replicas")}" is not 1, 3 or 5`);
  return {
    kind: "nats",
    servers: urls.map(({ server }) => server),
    bucket,
    copies,
    login: readLogin({ value, bad }, urls),
    tls: readTls({ value, flag, bad }, urls),
  };
}

interface ServerUrl {
  readonly server: string;
  readonly tls: boolean;
  readonly user: string;
  readonly password: string;
}

function parseUrl(text: string): ServerUrl | undefined {
  const url = URL.parse(text.includes("://") ? text : `nats://${text}`);
  if (url === null || !["nats:", "tls:"].includes(url.protocol)) return undefined;
  const { hostname, port, username, password, pathname, search, hash } = url;
  if (hostname === "" || !["", "/"].includes(pathname) || search !== "" || hash !== "") return undefined;
  const login = decoded(username, password);
  return login && { server: `${hostname}:${port === "" ? 4222 : port}`, tls: url.protocol === "tls:", ...login };
}

function decoded(user: string, password: string): Pick<ServerUrl, "user" | "password"> | undefined {
  try {
    return { user: decodeURIComponent(user), password: decodeURIComponent(password) };
  } catch {
    return undefined;
  }
}

function readLogin({ value, bad }: Omit<NatsSettingSource, "flag">, urls: readonly ServerUrl[]): NatsLogin | undefined {
  const logins: [NatsSettingKey, NatsLogin][] = [];
  for (const { user, password } of urls) {
    if (user === "" && password === "") continue;
    if (logins.some(([, login]) => login.kind === "user" && login.user === user && login.password === password))
      continue;
    // By convention, a user name without a password in the URL is a token.
    logins.push(["nats", password === "" ? { kind: "token", token: user } : { kind: "user", user, password }]);
  }
  const user = value("nats-user");
  const password = value("nats-password");
  const file = value("nats-password-file");
  if (password !== "" && file !== "")
    bad("nats-password-file", "cannot be combined with a password that is given directly");
  if (user !== "" && file !== "") logins.push(["nats-user", { kind: "passwordFile", user, file }]);
  else if (user !== "") logins.push(["nats-user", { kind: "user", user, password }]);
  else if (password !== "") bad("nats-password", "needs the user name as well: --nats-user");
  else if (file !== "") bad("nats-password-file", "needs the user name as well: --nats-user");
  const seed = value("nats-nkey");
  if (seed !== "") logins.push(["nats-nkey", { kind: "nkey", file: seed }]);
  const creds = value("nats-creds");
  if (creds !== "") logins.push(["nats-creds", { kind: "creds", file: creds }]);
  const [first, second] = logins;
  if (second !== undefined)
    bad(second[0], "is a second way to log in; choose one: the URLs, a user, an nkey or a credentials file");
  return first?.[1];
}

function readTls({ value, flag, bad }: NatsSettingSource, urls: readonly ServerUrl[]): NatsTls | undefined {
  const [ca, cert, key] = [value("nats-tls-ca"), value("nats-tls-cert"), value("nats-tls-key")];
  const first = flag("nats-tls-first");
  if (cert !== "" && key === "") bad("nats-tls-cert", "needs its private key as well: --nats-tls-key");
  if (key !== "" && cert === "") bad("nats-tls-key", "needs its certificate as well: --nats-tls-cert");
  if (ca === "" && cert === "" && !first && !urls.some(({ tls }) => tls)) return undefined;
  return { first, ...(ca !== "" && { caFile: ca }), ...(cert !== "" && { certFile: cert, keyFile: key }) };
}
