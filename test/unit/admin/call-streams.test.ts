import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { messagesOf, send } from "../../../src/admin/call-streams.ts";
import { ADMIN_LIMITS } from "../../../src/admin/limits.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const setUp = (more: Partial<typeof ADMIN_LIMITS> = {}) => {
  const clock = new FakeClock();
  const gone = new AbortController();
  const call = new PassThrough({ objectMode: true });
  const reading = { method: "Import", signal: gone.signal, limits: { ...ADMIN_LIMITS, ...more }, clock };
  return { clock, gone, call, reading };
};
const errorOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
const readAll = async (messages: AsyncIterable<Buffer>) => {
  let bytes = 0;
  for await (const message of messages) bytes += message.byteLength;
  return bytes;
};

test("an upload whose client says nothing more ends", async () => {
  const { clock, call, reading } = setUp();
  const read = readAll(messagesOf(call, reading));
  const refused = errorOf(read);
  call.write(Buffer.alloc(10));
  await clock.advance(50_000);
  call.write(Buffer.alloc(10));
  await clock.advance(59_000);
  call.write(Buffer.alloc(10));
  await clock.advance(61_000);
  expect(await refused).toMatchObject({ kind: "exhausted", code: "UPLOAD_TOO_SLOW" });
});

test("an upload has a longest time and most bytes, whatever it sends", async () => {
  const slow = setUp({ uploadMs: 120_000 });
  const late = errorOf(readAll(messagesOf(slow.call, slow.reading)));
  for (let i = 0; i < 5; i++) {
    slow.call.write(Buffer.alloc(10));
    await slow.clock.advance(30_000);
  }
  expect(await late).toMatchObject({ code: "UPLOAD_TOO_SLOW" });
  const large = setUp({ uploadBytes: { Import: 100 } });
  const much = errorOf(readAll(messagesOf(large.call, large.reading)));
  for (let i = 0; i < 12; i++) large.call.write(Buffer.alloc(10));
  await large.clock.advance(0);
  expect(await much).toMatchObject({
    code: "UPLOAD_TOO_LARGE",
    message: expect.stringContaining("all messages of one Import: 110, but at most 100"),
  });
});

test("an upload ends when its caller has gone", async () => {
  const { gone, call, reading } = setUp();
  const read = errorOf(readAll(messagesOf(call, reading)));
  gone.abort(new Error("gone"));
  expect(await read).toMatchObject({ message: "gone" });
});

test("an answer that is not taken ends the stream of the client that does not take it", async () => {
  const { clock, reading } = setUp();
  const stuck = { write: () => true };
  const sent = errorOf(send(stuck, Buffer.alloc(10), reading));
  await clock.advance(ADMIN_LIMITS.slowReaderMs);
  expect(await sent).toMatchObject({ kind: "exhausted", code: "READER_TOO_SLOW" });
});
