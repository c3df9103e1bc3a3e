import { systemClock } from "../../src/runtime/clock.ts";
import { openDirectoryStore, openMemoryStore } from "../support/embedded-store.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { archiveContract } from "./archive.contract.ts";
import type { StoreFactory } from "./contract-store.ts";
import { journalContract } from "./journal.contract.ts";
import { leaseContract } from "./lease.contract.ts";
import { peersContract } from "./peers.contract.ts";
import { stateStoreContract } from "./state-store.contract.ts";
import { stateStoreLaws } from "./state-store.laws.ts";

const onDisk: StoreFactory = {
  runs: 60,
  open: async () => {
    const folder = tempFolder();
    const opened = await openDirectoryStore({ directory: folder.path, clock: systemClock });
    const dispose = async () => {
      await opened.state.close();
      folder[Symbol.dispose]();
    };
    return { ...opened, other: opened, dispose };
  },
};

const inMemory: StoreFactory = {
  runs: 100,
  open: async () => {
    const opened = await openMemoryStore({ clock: systemClock });
    return { ...opened, other: opened, dispose: () => opened.state.close() };
  },
};

for (const [name, factory] of Object.entries({ "the SQLite store": onDisk, "the memory store": inMemory })) {
  stateStoreContract(name, factory);
  journalContract(name, factory);
  archiveContract(name, factory);
  leaseContract(name, factory);
  peersContract(name, factory);
  stateStoreLaws(name, factory);
}
