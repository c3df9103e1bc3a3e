import { createServer } from "node:net";

/** Below those that Linux gives to whoever asks for any: what is free now stays free until it is taken on purpose. */
const LOWEST = 20_000;
const HIGHEST = 32_000;
const given = new Set<number>();

/** A port on 127.0.0.1 that nobody listens on, for programs that must be told theirs. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listens = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => resolve(true));
  });
  if (listens) await new Promise((resolve) => server.close(resolve));
  return listens;
}
