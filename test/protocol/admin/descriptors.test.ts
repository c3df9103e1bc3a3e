import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { startPlane } from "../../support/plane.ts";

test("however many connect to the admin port, /healthz answers, and the plane goes on", async () => {
  await using plane = await startPlane({ enter: ["sh", "-c", 'ulimit -n 200; exec "$@"', "sh"] });
  const port = Number(plane.addresses.admin.split(":").at(-1));
  const sockets = await Promise.all(
    Array.from({ length: 400 }, () => {
      const socket = connect(port, "127.0.0.1").on("error", () => undefined);
      return new Promise<Socket>((resolve) => socket.once("connect", () => resolve(socket)));
    }),
  );
  for (let i = 0; i < 5; i++) {
    const answer = await fetch(`http://${plane.addresses.http}/healthz`);
    expect(await answer.text()).toBe("ok\n");
  }
  expect((await fetch(`http://${plane.addresses.http}/readyz`)).status).toBe(200);
  const status = await plane.mustCli("status");
  expect(status).not.toContain("descriptor");
  for (const socket of sockets) socket.destroy();
}, 60_000);
