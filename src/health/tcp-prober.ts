import type { Socket } from "node:net";
import type { Target } from "../domain/backend.ts";
import { MAX_CHECKED_BYTES, type Probe } from "../domain/health-check.ts";
import type { Attempt } from "./attempt.ts";
import { openConnection } from "./connect.ts";

/** Opens a connection, and where the check says so sends bytes and waits for others. */
export function probeTcp(target: Target, { send, expect }: Extract<Probe, { kind: "tcp" }>, attempt: Attempt): Socket {
  const socket = openConnection(target);
  let seen = Buffer.alloc(0);
  socket.once("error", attempt.error);
  socket.once("connect", () => {
    if (send.length > 0) socket.write(send);
    if (expect.length === 0) attempt.pass("connected");
  });
  socket.on("data", (chunk: Buffer) => {
    attempt.heard();
    seen = Buffer.concat([seen, chunk]);
    if (seen.includes(expect)) attempt.pass("the expected bytes came");
    else if (seen.length >= MAX_CHECKED_BYTES) attempt.fail("the answer does not hold the expected bytes");
  });
  socket.once("end", () => attempt.fail("connection closed before the expected bytes came"));
  return socket;
}
