/** Finds an Envoy in a process of its own, since a fetch takes long and stands still: so Ctrl-C ends it as well. */
import { fork } from "node:child_process";
import { ENVOY_VERSIONS, provideEnvoy } from "../components/envoy.ts";
import { type Component, reasonOf } from "../components/search.ts";

type Message = { readonly progress: string } | { readonly found: Component } | { readonly failed: string };

/** @throws Error that lists every place that was tried; with the reason of `signal` once that is aborted. */
export async function findEnvoy(signal: AbortSignal, progress: (line: string) => void): Promise<Component> {
  signal.throwIfAborted();
  // A group of its own, that whoever fetches for it belongs to as well.
  const child = fork(import.meta.filename, { detached: true });
  const { promise, resolve, reject } = Promise.withResolvers<Component>();
  child.on("message", (message: Message) => {
    if ("progress" in message) progress(message.progress);
    else if ("found" in message) resolve(message.found);
    else reject(new Error(message.failed));
  });
  child.once("error", reject);
  child.once("exit", (code, by) => reject(new Error(`the search for Envoy ended with ${by ?? code}`)));
  const stop = () => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
    reject(signal.reason);
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

if (import.meta.main) {
  // What fetches dies of the signal; then there is time to remove what it had.
  process.on("SIGTERM", () => process.exit(1));
  const send = (message: Message) => process.send?.(message);
  try {
    const progress = (line: string) => send({ progress: line });
    send({ found: provideEnvoy({ version: ENVOY_VERSIONS.newest, orOther: true, progress }) });
  } catch (error) {
    send({ failed: reasonOf(error) });
  }
  process.disconnect?.();
}
