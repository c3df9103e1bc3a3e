import { afterAll, beforeAll, describe } from "vitest";
import { openNatsStore } from "../../src/nats/open-nats-store.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/logger.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { newContainment } from "../support/containment.ts";
import { type NatsCluster, startNats } from "../support/nats.ts";
import { archiveContract } from "./archive.contract.ts";
import type { StoreFactory } from "./contract-store.ts";
import { journalContract } from "./journal.contract.ts";
import { leaseContract } from "./lease.contract.ts";
import { peersContract } from "./peers.contract.ts";
import { stateStoreContract } from "./state-store.contract.ts";
import { stateStoreLaws } from "./state-store.laws.ts";

for (const size of [1, 3] as const) {
  describe(`with ${size} nats-server${size === 1 ? "" : "s"}`, () => {
    let cluster: NatsCluster;
    let buckets = 0;
    beforeAll(async () => {
      cluster = await startNats({ size });
    });
    afterAll(() => cluster?.stop());

    const factory: StoreFactory = {
      runs: 12,
      open: async () => {
        const bucket = `contract-${buckets++}`;
        const open = (replica: string, first: number) =>
          openNatsStore({
            servers: cluster.urls.slice(first),
            bucket,
            replicas: size,
            replica,
            clock: systemClock,
            random: systemRandom,
            logger: silentLogger,
            containment: newContainment(),
          });
        const one = await open("one", 0);
        const other = await open("other", size - 1);
        const dispose = async () => {
          await one.state.close();
          await other.state.close();
        };
        return { ...one, other, dispose };
      },
    };

    const name = `the NATS store with ${size} cop${size === 1 ? "y" : "ies"}`;
    stateStoreContract(name, factory);
    journalContract(name, factory);
    archiveContract(name, factory);
    leaseContract(name, factory);
    peersContract(name, factory);
    stateStoreLaws(name, factory);
  });
}
