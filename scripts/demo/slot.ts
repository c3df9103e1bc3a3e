/** The ports and the folder of one demo. Several run at once, each in a slot of its own. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { type ShopBackend, startShopBackend } from "./shop.ts";

export interface Slot {
  /** Its backends, which hold it: no other demo can open their ports. */
  readonly backends: readonly ShopBackend[];
  readonly xds: string;
  readonly admin: string;
  readonly http: string;
  /** Where the proxies accept requests. */
  readonly listener: string;
  /** Of the folder for people, `demo` for example, in the root of the checkout. */
  readonly name: string;
  /** Why it is not the first one, as words for people. */
  readonly passedOver: string | undefined;
}

const SLOTS = 10;
/** By how much the ports of a slot are higher than those of the one before. */
const STEP = 10;
const BACKENDS = [
  ["shop", "shop-1", 9001],
  ["shop", "shop-2", 9002],
  ["shop", "shop-3", 9003],
  ["shop-next", "next-1", 9004],
] as const;
const OTHERS = { listener: 10_000, xds: 18_000, admin: 18_001, http: 18_002 };

/** Takes the first slot whose ports are all free. @throws Error when there is none. */
export async function claimSlot(): Promise<Slot> {
  const taken: number[] = [];
  for (let number = 0; number < SLOTS; number++) {
    const offset = number * STEP;
    const backends: ShopBackend[] = [];
    try {
      for (const [service, name, port] of BACKENDS) {
        backends.push(await startShopBackend(service, name, port + offset));
      }
      for (const port of Object.values(OTHERS)) await tryPort(port + offset);
      return {
        backends,
        name: number === 0 ? "demo" : `demo-${number + 1}`,
        passedOver: taken.length === 0 ? undefined : `${offset} higher, since ${takenText(taken)}`,
        ...addresses(offset),
      };
    } catch (error) {
      for (const backend of backends) await backend.stop();
      if (!isTaken(error)) throw error;
      taken.push(error.port);
    }
  }
  throw new Error(`the demo needs ports, and ${takenText(taken)}`);
}

function takenText(ports: readonly number[]): string {
  return `${ports.join(" and ")} ${ports.length === 1 ? "is" : "are"} taken`;
}

const MARK = ".fairlead-demo";

/** Makes the folder anew. @throws Error when there is one that no demo made. */
export function makeFolder(path: string): void {
  if (existsSync(path) && !existsSync(join(path, MARK))) {
    throw new Error(`${path} exists, and no demo made it: move it away, and start again`);
  }
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { mode: 0o700 });
  writeFileSync(join(path, MARK), "");
}

function addresses(offset: number): Record<keyof typeof OTHERS, string> {
  const at = (port: number) => `127.0.0.1:${port + offset}`;
  return { listener: at(OTHERS.listener), xds: at(OTHERS.xds), admin: at(OTHERS.admin), http: at(OTHERS.http) };
}

function tryPort(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server: Server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => server.close(() => resolve()));
  });
}

function isTaken(error: unknown): error is { readonly port: number } {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE" && "port" in error;
}
