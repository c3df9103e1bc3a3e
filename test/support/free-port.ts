import { createServer } from "node:net";

/** A port on 127.0.0.1 that was free a moment ago, for programs that must be told theirs. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server listens on no port");
  await new Promise((resolve) => server.close(resolve));
  return address.port;
}
