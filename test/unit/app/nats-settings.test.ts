import { describe, expect, it } from "vitest";
import { readConfig } from "../../../src/app/config.ts";

const read = (options: Record<string, string | boolean>, environment: Record<string, string> = {}) =>
  readConfig({ options, environment, file: {}, hostName: "plane-a" });

function storeOf(options: Record<string, string | boolean>, environment: Record<string, string> = {}) {
  const result = read(options, environment);
  if ("violations" in result) throw new Error(JSON.stringify(result.violations));
  return result.config.store;
}

function violations(options: Record<string, string | boolean>, environment: Record<string, string> = {}) {
  const result = read(options, environment);
  return "violations" in result ? result.violations : [];
}

describe("the store of `fairlead up`", () => {
  it("is a directory unless NATS is named", () => {
    expect(storeOf({})).toEqual({ kind: "embedded", directory: "./fairlead-data" });
    expect(storeOf({ data: "/d" })).toEqual({ kind: "embedded", directory: "/d" });
  });

  it("is three copies in the bucket `fairlead` when NATS is named", () => {
    expect(storeOf({ nats: "nats://a:4223, b,[::1]:1" })).toEqual({
      kind: "nats",
      servers: ["a:4223", "b:4222", "[::1]:1"],
      bucket: "fairlead",
      copies: 3,
      login: undefined,
      tls: undefined,
    });
  });

  it("is never two", () => {
    expect(violations({ nats: "a" }, { FAIRLEAD_DATA: "/d" })).toEqual([
      { field: "--nats", message: "cannot be combined with FAIRLEAD_DATA: each of them names a store" },
    ]);
  });

  it("takes user and password from the URL, or by name, or from a file", () => {
    const login = (options: Record<string, string>, environment?: Record<string, string>) => {
      const store = storeOf({ nats: "a", ...options }, environment);
      return store.kind === "nats" ? store.login : undefined;
    };
    expect(login({ nats: "nats://u:p%40@a,nats://u:p%40@b" })).toEqual({ kind: "user", user: "u", password: "p@" });
    expect(login({ nats: "nats://secret@a" })).toEqual({ kind: "token", token: "secret" });
    expect(login({ "nats-user": "u" }, { FAIRLEAD_NATS_PASSWORD: "p" })).toEqual({
      kind: "user",
      user: "u",
      password: "p",
    });
    expect(login({ "nats-nkey": "/seed" })).toEqual({ kind: "nkey", file: "/seed" });
    expect(login({ "nats-creds": "/creds" })).toEqual({ kind: "creds", file: "/creds" });
  });

  it("uses TLS where a URL, a file or a flag says so", () => {
    const tls = (options: Record<string, string | boolean>) => {
      const store = storeOf({ nats: "a", ...options });
      return store.kind === "nats" ? store.tls : undefined;
    };
    expect(tls({ nats: "tls://a" })).toEqual({ first: false });
    expect(tls({ "nats-tls-first": true })).toEqual({ first: true });
    expect(tls({ "nats-tls-ca": "ca", "nats-tls-cert": "c", "nats-tls-key": "k" })).toEqual({
      first: false,
      caFile: "ca",
      certFile: "c",
      keyFile: "k",
    });
  });

  it.each([
    [{ nats: "http://a" }, "--nats"],
    [{ nats: "nats://a/path" }, "--nats"],
    [{ nats: "a:99999" }, "--nats"],
    [{ nats: "a,,b" }, "--nats"],
    [{ nats: "a", "nats-bucket": "a.b" }, "--nats-bucket"],
    [{ nats: "a", "nats-replicas": "2" }, "--nats-replicas"],
    [{ nats: "a", "nats-password": "p" }, "--nats-password"],
    [{ nats: "a", "nats-password-file": "/p" }, "--nats-password-file"],
    [{ nats: "a", "nats-user": "u", "nats-password": "p", "nats-password-file": "/p" }, "--nats-password-file"],
    [{ nats: "nats://u:%zz@a" }, "--nats"],
    [{ nats: "nats://u:p@a", "nats-creds": "/c" }, "--nats-creds"],
    [{ nats: "nats://u:p@a,nats://v:p@b" }, "--nats"],
    [{ nats: "a", "nats-tls-cert": "/c" }, "--nats-tls-cert"],
    [{ nats: "a", "nats-tls-key": "/k" }, "--nats-tls-key"],
  ])("refuses %o", (options, field) => {
    expect(violations(options).map((violation) => violation.field)).toEqual([field]);
  });

  it("is not one on this machine where something is said of NATS and no server is named", () => {
    const fields = violations({ "nats-user": "u" }, { FAIRLEAD_NATS_BUCKET: "b" }).map(({ field }) => field);
    expect(fields.sort()).toEqual(["--nats-user", "FAIRLEAD_NATS_BUCKET"]);
  });

  it("takes the password from a file that is named", () => {
    const store = storeOf({ nats: "a", "nats-user": "u", "nats-password-file": "/p" });
    expect(store).toMatchObject({ login: { kind: "passwordFile", user: "u", file: "/p" } });
  });

  it.each([
    "http://user:secret@a",
    "nats://user:sec/ret@a",
    "nats://user:sec/secret@a",
    "nats://user:sec,secret@a",
    "nats://user:secret,x@y@a",
    "nats://user:secret%zz@a",
    "nats://user:sec@secret/b",
    "nats://user:#secret@a",
  ])("never repeats a password: %s", (nats) => {
    const found = violations({ nats });
    expect(found.length).toBeGreaterThan(0);
    expect(JSON.stringify(found)).not.toMatch(/secret|sec\/|ret@/);
  });
});
