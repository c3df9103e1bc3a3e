import { MAX_CHECKED_BYTES, type Probe } from "../domain/health-check.ts";
import type { Attempt } from "./attempt.ts";

/** Opens a connection and, if the check says so, sends bytes and waits for others. */
export function probeTcp({ send, expect }: Extract<Probe, { kind: "tcp" }>, attempt: Attempt): void {
  const socket = attempt.open();
  let seen = Buffer.alloc(0);
  attempt.on(socket, "connect", () => {
    if (send.length > 0) socket.write(send);
    if (expect.length === 0) attempt.pass("connected");
  });
  attempt.on(socket, "data", (chunk: Buffer) => {
    attempt.heard();
    seen = Buffer.concat([seen, chunk]);
    if (seen.includes(expect)) attempt.pass("received the expected bytes");
    else if (seen.length >= MAX_CHECKED_BYTES) attempt.fail("the answer does not contain the expected bytes");
  });
  attempt.on(socket, "end", () => attempt.fail("connection closed before the expected bytes arrived"));
}
