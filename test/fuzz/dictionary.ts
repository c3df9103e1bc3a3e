/** Values that programs stumble over. What once ended or stopped a plane stays in here. */
import type { Chance } from "./chance.ts";

/** Authorities that a lenient parser passes and a strict one throws at. */
export const AUTHORITIES = [
  "::1",
  "10.0.0.256",
  "shop.example:99999",
  "a:b:c",
  ":80",
  "[::1",
  "1.2.3.4.5",
  "a b",
  "user@host",
  "shop.example:",
  "%00",
  "[fe80::1%25eth0]:80",
  "xn--a",
] as const;

const TEXTS = [
  ...AUTHORITIES,
  "",
  " ",
  "shop",
  "shop/s1",
  "projects/-/services/shop",
  "projects/p/services/s/backends/b/health/foo",
  "../../etc/passwd",
  "__proto__",
  "constructor",
  "toString",
  "127.0.0.1:9001",
  "127.0.0.1:0",
  "[::ffff:127.0.0.1]:80",
  "169.254.169.254:80",
  "0.0.0.0:1",
  "unix:///",
  "\u0000",
  "\u001b[2J\u001b[H",
  "a\nb",
  "\u202egnp.exe",
  "\ufeff",
  "null",
  "{}",
  "(a+)+$",
  "(?=a)",
  "[",
  "%",
  "$(id)",
  "a".repeat(63),
  "a".repeat(64),
  "é".repeat(300),
  "x".repeat(70_000),
] as const;

const INTEGERS = [0, 1, -1, 2, 127, 128, 255, 65_535, 65_536, 1_000_000, 2 ** 31 - 1, -(2 ** 31), 2 ** 32 - 1] as const;
const LONGS = [0n, 1n, -1n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n), 10n ** 15n, 253_402_300_800n] as const;
const NUMBERS = [
  0,
  -0,
  1,
  -1,
  0.5,
  1e-300,
  1e300,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
] as const;

export const hostileText = (chance: Chance): string => chance.oneOf(TEXTS);
export const hostileInteger = (chance: Chance): number => chance.oneOf(INTEGERS);
export const hostileLong = (chance: Chance): bigint => chance.oneOf(LONGS);
export const hostileNumber = (chance: Chance): number => chance.oneOf(NUMBERS);
export const hostileBytes = (chance: Chance): Uint8Array => chance.bytes(chance.oneOf([0, 1, 7, 1025, 70_000]));
