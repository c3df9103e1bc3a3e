import { createServer } from "node:net";

/** The port itself when it is free on 127.0.0.1, another free one otherwise. */
export async function portNear(wanted: number): Promise<number> {
  return (await bindable(wanted)) ?? (await bindable(0)) ?? wanted;
}

function bindable(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? address?.port : undefined));
    });
  });
}
