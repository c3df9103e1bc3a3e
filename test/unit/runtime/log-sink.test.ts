import { expect, test } from "vitest";
import { createLogger } from "../../../src/runtime/create-logger.ts";
import { LogSink, type LogTarget, MAX_WAITING_LOG_BYTES } from "../../../src/runtime/log-sink.ts";

class Target implements LogTarget {
  readonly written: string[] = [];
  writableLength = 0;
  failure: Error | null = null;

  write(text: string, done: (error?: Error | null) => void): void {
    if (this.failure === null) this.written.push(text);
    done(this.failure);
  }
}

test("a record is one line of JSON", () => {
  const target = new Target();
  createLogger("info", new LogSink(target)).info({ revision: "1.2" }, "published");
  expect(target.written.map((line) => JSON.parse(line))).toMatchObject([{ revision: "1.2", msg: "published" }]);
});

test("what a reader that stands still would make wait without end is lost, counted, and told once it reads on", () => {
  const target = new Target();
  const sink = new LogSink(target);
  target.writableLength = MAX_WAITING_LOG_BYTES + 1;
  for (let line = 0; line < 3; line++) sink.write("lost\n");
  expect(target.written).toEqual([]);
  expect(sink.lost).toBe(3);
  target.writableLength = 0;
  sink.write("first\n");
  sink.write("second\n");
  expect(JSON.parse(target.written.shift() ?? "")).toMatchObject({ level: 40, lost: 3 });
  expect(target.written).toEqual(["first\n", "second\n"]);
});

test("a reader that is gone, and a full disk, cost lines and nothing else", async () => {
  const target = new Target();
  const sink = new LogSink(target);
  target.failure = new Error("EPIPE");
  sink.write("lost\n");
  sink.write("lost\n");
  await sink.flush();
  expect(sink.lost).toBe(2);
});
