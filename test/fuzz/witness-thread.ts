/** The thread of `witness.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import { RawClient } from "../protocol/xds/raw-client.ts";
import { type Late, queuedMs } from "./witness.ts";

const { address, pid, answerWithinMs } = workerData as { address: string; pid: number; answerWithinMs: number };
/** A type of which nothing is kept back on account of any record. */
const SDS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";
const ASK_EVERY_MS = 20;
const GIVE_UP_MS = 10_000;

let questions = 0;
let late: Late[] = [];
let ended: string[] = [];
let reportAfter: number | undefined;
let asked = 0;

parentPort?.on("message", () => {
  reportAfter = asked + 1;
});

const client = new RawClient(address);
for (;;) {
  await converse().catch((error: unknown) => ended.push(String(error)));
  // Whoever asks for a report of a stream that ends again and again is told that.
  if (reportAfter !== undefined) parentPort?.postMessage({ questions, late, ended });
  await pause(100);
}

/** Asks for names that nobody has, each of which is answered at once. */
async function converse(): Promise<void> {
  const stream = client.delta();
  stream.send({ typeUrl: SDS, node: { id: "witness", cluster: "witness" }, resourceNamesSubscribe: ["nobody"] });
  let acknowledged = 0;
  /** Acknowledges what came, and says whether the name is in it. */
  const isAnswered = (name: string) => {
    const fresh = stream.responses.slice(acknowledged);
    acknowledged += fresh.length;
    for (const { typeUrl, nonce } of fresh) stream.send({ typeUrl, responseNonce: nonce });
    return fresh.some(({ removedResources }) => removedResources.includes(name));
  };
  for (;;) {
    const name = `nobody-${++asked}`;
    const [from, queuedFrom] = [performance.now(), queuedMs(pid)];
    stream.send({ typeUrl: SDS, resourceNamesSubscribe: [name], resourceNamesUnsubscribe: [`nobody-${asked - 1}`] });
    let own = 0;
    while (!isAnswered(name) && performance.now() - from < GIVE_UP_MS) {
      if (stream.ended !== undefined) throw new Error(`${stream.ended.code} ${stream.ended.details}`);
      const before = performance.now();
      await pause(2);
      // What is beyond the pause is this thread's own lateness.
      own += Math.max(0, performance.now() - before - 5);
    }
    questions++;
    const waitedMs = performance.now() - from - own - (queuedMs(pid) - queuedFrom);
    if (waitedMs > answerWithinMs) late.push({ waitedMs: Math.round(waitedMs) });
    if (reportAfter !== undefined && asked >= reportAfter) {
      parentPort?.postMessage({ questions, late, ended });
      [questions, late, ended, reportAfter] = [0, [], [], undefined];
    }
    await pause(ASK_EVERY_MS);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
