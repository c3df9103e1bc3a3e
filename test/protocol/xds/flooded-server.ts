/**
 * An xDS server as a process of its own, for tests that flood it: what the flood costs its client does not count. It serves
 * 500 clusters with their endpoint sets to everybody, and answers its parent.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  ResourceCache,
  type XdsLimits,
  XdsServer,
} from "../../../src/xds/server/library.ts";

export type Told = {
  /** Bytes of the heap and of buffers beside it, after garbage was collected. */
  readonly bytes: number;
  /** What they were at most, whenever it was looked. */
  readonly peakBytes: number;
  /** The longest turn of the loop since it was asked last, in milliseconds of the processor's time. */
  readonly longestTurnMs: number;
  readonly clients: number;
};

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const cache = new ResourceCache();
cache.update("g", (tx) => {
  for (let index = 0; index < 500; index++) {
    const name = `c${index}`;
    const references = [{ typeUrl: ENDPOINT_TYPE, name }];
    tx.set({ typeUrl: CLUSTER_TYPE, name, body: Buffer.alloc(300, "x"), references });
    tx.set({ typeUrl: ENDPOINT_TYPE, name, body: Buffer.alloc(300, "y"), references: [] });
  }
});
const limits = JSON.parse(process.argv[2] ?? "{}") as Partial<XdsLimits>;
const server = new XdsServer({ cache, groupOf: () => "g", limits, clientStatus: () => true });

let longestTurnMs = 0;
let peakBytes = 0;
let before = process.threadCpuUsage();
const watch = () => {
  const spent = process.threadCpuUsage(before);
  before = process.threadCpuUsage();
  longestTurnMs = Math.max(longestTurnMs, (spent.user + spent.system) / 1000);
  setImmediate(watch);
};
watch();
const inUse = () => {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};
setInterval(() => {
  peakBytes = Math.max(peakBytes, inUse());
}, 20);

process.on("message", () => {
  const told = { longestTurnMs, peakBytes };
  collectGarbage();
  setImmediate(() => {
    collectGarbage();
    process.send?.({ ...told, bytes: inUse(), clients: server.clients().length } satisfies Told);
    longestTurnMs = 0;
    peakBytes = 0;
    before = process.threadCpuUsage();
  });
});
process.send?.(await server.listen("127.0.0.1:0"));
