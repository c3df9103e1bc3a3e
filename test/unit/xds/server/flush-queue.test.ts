import { expect, test } from "vitest";
import { FlushQueue } from "../../../../src/xds/server/flush-queue.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

test("all that write are flushed, a few at a time, the next when those before are sent", async () => {
  const { queue, flushed, sent } = queueOf(() => true);
  for (let stream = 0; stream < 20; stream++) queue.add(stream);
  // What the turn has still to do comes first: the answer to the call that made the change.
  await Promise.resolve();
  expect(flushed).toEqual([]);
  await turn();
  expect(flushed).toHaveLength(8);
  sent();
  expect(flushed).toHaveLength(16);
  sent();
  expect(flushed).toEqual(Array.from({ length: 20 }, (_, stream) => stream));
});

test("a client that does not take what was written holds up nobody", async () => {
  const { queue, flushed } = queueOf(() => true);
  for (let stream = 0; stream < 20; stream++) queue.add(stream);
  await turn();
  await turn();
  expect(flushed).toHaveLength(16);
  await turn();
  expect(flushed).toHaveLength(20);
});

test("streams that write nothing that is soon sent are not waited for", async () => {
  const { queue, flushed } = queueOf((stream) => stream % 10 === 0);
  for (let stream = 0; stream < 60; stream++) queue.add(stream);
  await turn();
  expect(flushed).toHaveLength(60);
});

test("a stream is flushed once however often it was added, and again when it is added later", async () => {
  const { queue, flushed } = queueOf(() => true);
  queue.add(1);
  queue.add(1);
  queue.add(2);
  queue.delete(2);
  await turn();
  queue.add(1);
  await turn();
  expect(flushed).toEqual([1, 1]);
});

test("what is added while the queue waits is flushed with the rest, and a late call does no harm", async () => {
  const { queue, flushed, sent } = queueOf(() => true);
  for (let stream = 0; stream < 8; stream++) queue.add(stream);
  await turn();
  queue.add(8);
  expect(flushed).toHaveLength(8);
  sent();
  sent();
  expect(flushed).toHaveLength(9);
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** `sent` tells what the last stream that is waited for tells. */
test("streams that take long to look at leave the loop to others, though they write nothing", async () => {
  let now = 0;
  const clock = Object.assign(new FakeClock(), { monotonic: () => now });
  const { queue, flushed } = queueOf(() => {
    now += 10;
    return false;
  }, clock);
  for (let stream = 0; stream < 4; stream++) queue.add(stream);
  await turn();
  expect(flushed).toHaveLength(2);
  await turn();
  expect(flushed).toHaveLength(4);
});

function queueOf(writes: (stream: number) => boolean, clock = new FakeClock()) {
  const flushed: number[] = [];
  let sent: () => void = () => undefined;
  const queue = new FlushQueue<number>(clock, (stream, written) => {
    flushed.push(stream);
    sent = written;
    return writes(stream);
  });
  return { queue, flushed, sent: () => sent() };
}
