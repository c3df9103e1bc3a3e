/** Network namespaces of a test that are connected to it by a switch, each by a cable that can be pulled out. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { eventually } from "./eventually.ts";

const run = promisify(execFile);

/** Of the range for tests of networks, 198.18.0.0/15, which is routed nowhere (RFC 2544). */
const SUBNETS = Array.from({ length: 512 }, (_, i) => `198.${18 + (i >> 8)}.${i & 255}`);

export interface Namespaces extends AsyncDisposable {
  /** The test's own on the switch. */
  readonly address: string;
  add(): Promise<Namespace>;
}

export interface Namespace {
  /** The words before a command that has to run in it; the process is that of the command. */
  readonly enter: readonly string[];
  cut(): Promise<void>;
  mend(): Promise<void>;
}

/**
 * A namespace has no name, and lives while a process is in it: the one that holds it ends when the test ends, however that
 * comes about, and with the namespace go its cable, and the test's own.
 *
 * @throws Error where the machine or the user's rights do not allow it, with the reason.
 */
export async function startNamespaces(): Promise<Namespaces> {
  const disposables = new AsyncDisposableStack();
  try {
    const taken = Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address) ?? []);
    // Tests that run side by side begin to look at different places.
    const free = SUBNETS.map((_, i) => SUBNETS[(process.pid + i) % SUBNETS.length] ?? "");
    const subnet = free.find((each) => !taken.includes(`${each}.1`)) ?? "";
    const port = `fl-${subnet.replaceAll(".", "-")}`;
    disposables.defer(() => isGone(port));
    const hub = disposables.use(await holdNamespace());
    await ip([], `link add ${port} type veth peer name test netns ${hub.pid}`);
    await ip([], `address add ${subnet}.1/24 dev ${port}`);
    await ip([], `link set ${port} up`);
    await ip(hub.enter, "link add name switch type bridge");
    await ip(hub.enter, "link set switch up");
    await ip(hub.enter, "link set test master switch up");
    let count = 1;
    return {
      address: `${subnet}.1`,
      add: async () => {
        const { pid, enter } = disposables.use(await holdNamespace());
        count += 1;
        const own = count;
        const cable = `host-${own}`;
        await ip(hub.enter, `link add ${cable} type veth peer name eth0 netns ${pid}`);
        await ip(enter, `address add ${subnet}.${own}/24 dev eth0`);
        await ip(enter, "link set eth0 up");
        await ip(enter, "link set lo up");
        const cut = () => ip(hub.enter, `link set ${cable} nomaster`);
        const mend = () => ip(hub.enter, `link set ${cable} master switch up`);
        await mend();
        return { enter, cut, mend };
      },
      [Symbol.asyncDispose]: () => disposables.disposeAsync(),
    };
  } catch (error) {
    await disposables.disposeAsync();
    throw error;
  }
}

async function isGone(name: string): Promise<void> {
  await eventually(
    () => Object.keys(networkInterfaces()),
    (names) => !names.includes(name),
    { what: `${name} is gone` },
  );
}

/** @param enter Where: nothing stands for the test's own namespace. */
async function ip(enter: readonly string[], words: string): Promise<void> {
  const [program = "", ...args] = [...enter, "ip", ...words.split(" ")];
  await run(program, args);
}

interface Held extends AsyncDisposable {
  readonly pid: number;
  readonly enter: readonly string[];
}

async function holdNamespace(): Promise<Held> {
  const holder = spawn("unshare", ["--net", "sh", "-c", "echo held; exec cat"]);
  const complaint = text(holder.stderr);
  const ended = once(holder, "exit");
  const [first] = await Promise.race([once(holder.stdout, "data"), ended]);
  if (!Buffer.isBuffer(first)) throw new Error((await complaint).trim());
  return {
    pid: holder.pid ?? -1,
    enter: ["nsenter", `--target=${holder.pid}`, "--net"],
    [Symbol.asyncDispose]: async () => {
      holder.stdin.end();
      await ended;
    },
  };
}
