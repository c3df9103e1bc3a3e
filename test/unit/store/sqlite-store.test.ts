import { copyFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Clock } from "../../../src/runtime/clock.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { JOURNAL_WINDOW_MS } from "../../../src/store/journal.ts";
import type { Revision } from "../../../src/store/revision.ts";
import { openSqliteFile } from "../../../src/store/sqlite-file.ts";
import { openSqliteStore } from "../../../src/store/sqlite-store.ts";
import { DELETE_WINDOW_MS, type StoreOp } from "../../../src/store/state-store.ts";
import { openDirectoryStore } from "../../support/embedded-store.ts";
import { tempFolder } from "../../support/temp-folder.ts";

type Opened = Awaited<ReturnType<typeof openDirectoryStore>>;

describe("the SQLite store", () => {
  let now: number;
  /** The monotonic clock, where it is not that of the wall. */
  let elapsed = 0;
  let folder: ReturnType<typeof tempFolder>;
  let store: Opened;
  const clock: Clock = { ...systemClock, now: () => now, monotonic: () => elapsed || now };
  const open = async () => {
    store = await openDirectoryStore({ directory: folder.path, clock });
  };
  const reopen = async () => {
    await store.state.close();
    await open();
  };
  beforeEach(async () => {
    now = 1_000_000_000_000;
    elapsed = 0;
    folder = tempFolder();
    await open();
  });
  afterEach(async () => {
    await store.state.close();
    folder[Symbol.dispose]();
  });

  const put = (key: string, value = "1"): StoreOp => ({ op: "put", key, value: new TextEncoder().encode(value) });
  const write = (requestId: string, ...ops: StoreOp[]) =>
    store.state.commit({ ops, cause: { actor: "test", operation: "test", reason: "", requestId } });
  const firstEvent = async (from: Revision) => {
    const stop = new AbortController();
    try {
      const event = await store.state.watch({ from, signal: stop.signal })[Symbol.asyncIterator]().next();
      return event.value;
    } finally {
      stop.abort();
    }
  };

  it("has everything again after it was closed and opened", async () => {
    const history = { generation: 1, keep: 2 };
    const first = await write("r-1", { op: "put", key: "a", value: Uint8Array.of(1, 2), history }, put("b"));
    const second = await write("r-2", { op: "delete", key: "b" });
    await reopen();
    expect(await store.state.get("a")).toMatchObject({ revision: first.revision });
    expect(await store.state.get("b")).toBeUndefined();
    expect(await store.state.barrier()).toEqual(second.revision);
    expect((await store.state.history("a")).map(({ revision }) => revision)).toEqual([first.revision]);
    expect(await store.journal.findRequest("r-2")).toMatchObject({ revision: second.revision, keys: ["b"] });
    const told = { kind: "commit", revision: second.revision, changes: [{ key: "b", value: undefined }] };
    expect(await firstEvent(first.revision)).toMatchObject(told);
    await expect(write("r-2", put("c"))).rejects.toMatchObject({ code: "REQUEST_SEEN" });
  });

  it("tells of every delete within the window, and refuses a watch from before one that it has dropped", async () => {
    const before = await write("", put("a"), put("b"));
    const gone = await write("", { op: "delete", key: "a" });
    now += DELETE_WINDOW_MS - 1;
    await write("", put("c"));
    expect(await firstEvent(before.revision)).toMatchObject({ kind: "commit" });
    now += 120_000;
    await write("", put("d"));
    await expect(firstEvent(before.revision)).rejects.toMatchObject({ kind: "precondition", code: "COMPACTED" });
    expect(await firstEvent(gone.revision)).toMatchObject({ kind: "commit" });
    await reopen();
    await expect(firstEvent(before.revision)).rejects.toMatchObject({ kind: "precondition", code: "COMPACTED" });
    expect(await firstEvent(gone.revision)).toMatchObject({ kind: "commit" });
  });

  it("forgets journal entries once their window is over", async () => {
    await write("old", put("a"));
    now += JOURNAL_WINDOW_MS + 1;
    await write("new", put("a"));
    await write("newer", put("a"));
    expect((await store.journal.list({ limit: 10 })).map(({ requestId }) => requestId)).toEqual(["newer", "new"]);
    expect(await store.journal.findRequest("old")).toBeUndefined();
  });

  it("lets its clock never go back, also when the machine's does", async () => {
    const first = await write("", put("a"));
    now -= 60_000;
    expect((await write("", put("a"))).at).toBe(first.at);
    await reopen();
    expect(store.state.now()).toBe(first.at);
  });

  it("goes on with elapsed time after one write under a clock that was 400 days ahead, also when it is opened again", async () => {
    const { at: before } = await write("", put("a"));
    elapsed = now;
    now += 400 * 86_400_000;
    expect((await write("", put("a"))).at).toBe(before);
    await reopen();
    const { at: ahead } = await write("", put("a"));
    expect(ahead, "at its start a clock that is ahead is believed").toBe(now);
    now = elapsed;
    await reopen();
    expect(store.status().clockOffsetMs).toBe(400 * 86_400_000);
    elapsed += 60_000;
    now += 60_000;
    const passed = (await write("", put("a"))).at - ahead;
    expect(passed).toBeGreaterThanOrEqual(58_000);
    expect(passed).toBeLessThanOrEqual(60_000);
  });

  it("says that its disk is full for as long as it is, and loses nothing of what it acknowledged", async () => {
    await store.state.close();
    const retries: (() => void)[] = [];
    const after = (_: number, run: () => void) => {
      retries.push(run);
      return () => undefined;
    };
    const file = openSqliteFile(folder.path);
    store = openSqliteStore(file, { ...clock, after });
    await write("", put("a"));
    const pages = Number(file.database.prepare("PRAGMA page_count").get()?.["page_count"]);
    file.database.exec(`PRAGMA max_page_count = ${pages}`);
    const tooMuch = put("b", "x".repeat(100_000));
    await expect(write("", tooMuch)).rejects.toMatchObject({ kind: "unavailable", code: "STORE_UNREACHABLE" });
    const { away } = store.status();
    expect(away).toMatchObject({
      since: now,
      why: expect.stringMatching(/fairlead\.db: the disk is full.*free some space/),
    });
    now += 5_000;
    await expect(write("", tooMuch)).rejects.toThrow("the disk is full");
    expect(store.status().away).toEqual(away);
    file.database.exec("PRAGMA max_page_count = 1000000");
    retries.at(-1)?.();
    expect(store.status().away, "it finds out by itself").toBeUndefined();
    await write("", tooMuch);
    expect((await store.state.read("")).entries.map(({ key }) => key)).toEqual(["a", "b"]);
  });

  it("refuses writes, and keeps what it has, once another file lies where its own was", async () => {
    await write("", put("a"));
    expect(store.status().frozen).toBeUndefined();
    const path = join(folder.path, "fairlead.db");
    copyFileSync(path, `${path}.old`);
    renameSync(`${path}.old`, path);
    expect(store.status().frozen).toMatch(/fairlead\.db was replaced while the plane ran/);
    await expect(write("", put("a", "2"))).rejects.toMatchObject({ kind: "unavailable", code: "STORE_REPLACED" });
    await expect(store.state.barrier()).rejects.toMatchObject({ code: "STORE_REPLACED" });
    expect(await store.state.get("a")).toBeDefined();
  });

  it("takes commits that arrive together in the order of their arrival, each by itself", async () => {
    const first = await write("", put("a"));
    const outcomes = await Promise.allSettled([
      write("", { ...put("a", "2"), guard: first.revision }, put("x")),
      write("", { ...put("a", "3"), guard: first.revision }, put("y")),
      write("same", put("z")),
      write("same", put("z", "2")),
      write("", { op: "delete", key: "x", guard: "present" }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
    expect((await store.state.read("")).entries.map(({ key }) => key)).toEqual(["a", "z"]);
    const positions = outcomes.flatMap((outcome) =>
      outcome.status === "fulfilled" ? [outcome.value.revision.position] : [],
    );
    expect(positions).toEqual([2, 3, 4]);
  });
});
