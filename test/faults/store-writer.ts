/** Writes batches until it is killed, and prints each one once it was acknowledged. Started by the test beside it. */
import { writeSync } from "node:fs";
import { systemClock } from "../../src/runtime/clock.ts";
import { openDirectoryStore } from "../support/embedded-store.ts";
import { batchOf } from "./store-writes.ts";

const [directory = "", firstBatch = "0"] = process.argv.slice(2);
const { state } = await openDirectoryStore({ directory, clock: systemClock });
let next = Number(firstBatch);
const writer = async () => {
  for (;;) {
    const i = next++;
    const { revision } = await state.commit(batchOf(i));
    // Synchronous, so that nothing acknowledged is lost in a buffer of this process.
    writeSync(1, `${i} ${revision.position}\n`);
  }
};
await Promise.all([writer(), writer(), writer()]);
