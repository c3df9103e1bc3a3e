import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { systemClock } from "../../../src/runtime/clock.ts";
import type { ArchiveRecord } from "../../../src/store/archive.ts";
import { openDirectoryStore } from "../../support/embedded-store.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const HUGE = "9007199254740993";
const cause = { actor: "test", operation: "test", reason: "", requestId: "r-1" };

/** Rows that no release writes, of every type and in every column. */
const STRANGE = `
  INSERT INTO entries VALUES ('text', 1, 1, 'no blob'), ('number', 1, 1, 5), ('huge', ${HUGE}, ${HUGE}, x'00'),
    ('words', 'one', 'two', x'00'), ('a b', 1, 1, x'00'), ('', 1, 1, x'00'), ('gone', 'one', 'two', NULL);
  INSERT INTO history VALUES ('a', 5, ${HUGE}, 1, 'x', 'no blob'), ('a', ${HUGE}, 'g', 'e', ${HUGE}, x'00'), (x'00', 'slot', 1, 1, 1, x'00');
  INSERT INTO journal VALUES (1, ${HUGE}, 'never', 1, 2, 3, 'r-2', 'no blob'), (1, 2, ${HUGE}, x'00', '', '', x'00', 7);
`;

it("rows that no release writes end no reading, and can be removed", async () => {
  using folder = tempFolder();
  const open = () => openDirectoryStore({ directory: folder.path, clock: systemClock });
  const first = await open();
  const value = Uint8Array.of(1);
  await first.state.commit({ ops: [{ op: "put", key: "a", value, history: { generation: 1, keep: 2 } }], cause });
  await first.state.close();
  const database = new DatabaseSync(join(folder.path, "fairlead.db"));
  database.exec(STRANGE);
  database.close();

  const store = await open();
  expect(await store.state.get("a")).toMatchObject({ value });
  const { entries } = await store.state.read("");
  expect(entries.map(({ key }) => key).toSorted()).toEqual(["", "a", "a b", "huge", "number", "text", "words"]);
  expect(await store.state.history("a")).toHaveLength(3);
  expect((await store.journal.list({ limit: 10 })).every(({ at }) => Number.isSafeInteger(at))).toBe(true);
  expect(await store.journal.findRequest("r-1")).toMatchObject({ keys: ["a"] });
  const records: ArchiveRecord[] = [];
  for await (const part of (await store.archive.read()).parts) records.push(...part);
  expect(records.filter(({ kind }) => kind === "entry")).toHaveLength(7);

  const strange = entries.filter(({ key }) => key !== "a");
  await store.state.commit({
    ops: strange.map(({ key, revision }) => ({ op: "delete", key, guard: revision })),
    cause: { ...cause, requestId: "r-3" },
  });
  await store.state.close();
  const again = await open();
  expect((await again.state.read("")).entries.map(({ key }) => key)).toEqual(["a"]);
  await again.state.close();
});
