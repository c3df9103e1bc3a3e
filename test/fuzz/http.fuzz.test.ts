import { connect } from "node:net";
import { afterAll, beforeAll, test } from "vitest";
import { type Attack, CAMPAIGN_TIMEOUT_MS, campaign } from "./campaign.ts";
import type { Chance } from "./chance.ts";
import { hostileText } from "./dictionary.ts";
import { type FuzzedPlane, startFuzzedPlane } from "./fuzzed-plane.ts";
import { mutateText } from "./mutate-bytes.ts";

let fuzzed: FuzzedPlane;

beforeAll(async () => {
  fuzzed = await startFuzzedPlane();
});

afterAll(async () => {
  await fuzzed?.[Symbol.asyncDispose]();
});

const PATHS = ["/healthz", "/readyz", "/metrics", "/", "/%2e%2e/", "/\u0000", `/${"a".repeat(20_000)}`];
const METHODS = ["GET", "HEAD", "POST", "OPTIONS", "PRI", "CONNECT"];

function requestOf(chance: Chance): string {
  const lines = [
    `${chance.oneOf(METHODS)} ${chance.oneOf(PATHS)} HTTP/1.1`,
    `host: ${chance.happens(50) ? fuzzed.plane.addresses.http : hostileText(chance)}`,
    `content-length: ${chance.oneOf(["0", "-1", "99999999999999999999", "x"])}`,
    `x-${chance.below(9)}: ${hostileText(chance)}`,
  ];
  const text = `${lines.join("\r\n")}\r\n\r\n`;
  return chance.happens(50) ? mutateText(text, chance) : text;
}

/** Sends text to a port as it is, and leaves after a moment. */
async function send(address: string, text: string): Promise<void> {
  const colon = address.lastIndexOf(":");
  const socket = connect(Number(address.slice(colon + 1)), address.slice(0, colon));
  socket.on("error", () => undefined);
  socket.resume();
  socket.write(text);
  await new Promise((resolve) => {
    socket.once("close", resolve);
    setTimeout(resolve, 30);
  });
  socket.destroy();
}

const mutated: Attack = {
  name: "mutated HTTP requests, to each of the ports",
  weight: 10,
  run: async (chance) => {
    const { http, admin, xds } = fuzzed.plane.addresses;
    const ports = Array.from({ length: 30 }, () => chance.oneOf([http, http, admin, xds]));
    await Promise.all(ports.map((port) => send(port, requestOf(chance))));
  },
};

const slow: Attack = {
  name: "requests that never end",
  run: async () => {
    const { http } = fuzzed.plane.addresses;
    await Promise.all(Array.from({ length: 100 }, () => send(http, "GET /metrics HTTP/1.1\r\nhost: localhost\r\nx: ")));
  },
};

test(
  "no request to the HTTP port ends the plane or keeps others waiting",
  async () => {
    await campaign(fuzzed, [mutated, slow]);
    await fuzzed.memoryReturns();
  },
  CAMPAIGN_TIMEOUT_MS,
);
