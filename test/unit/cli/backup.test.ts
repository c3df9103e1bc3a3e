import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { type BackupRecord, BackupRecordSchema } from "../../../src/gen/fairlead/admin/v1/archive_pb.ts";
import { WaitForRevisionResponse_Outcome as Outcome } from "../../../src/gen/fairlead/admin/v1/observe_pb.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { planeError, runAgainst } from "./fake-plane.ts";

const FAILED_PRECONDITION = 9;
const ABORTED = 10;
const INVALID_ARGUMENT = 3;
const UNKNOWN = 2;

const record = (of: NonNullable<MessageInitShape<typeof BackupRecordSchema>["record"]>) =>
  create(BackupRecordSchema, { record: of });
const RECORDS: readonly BackupRecord[] = [
  record({ case: "head", value: { format: 1, productVersion: "0.1.0", revision: "3.7" } }),
  record({ case: "entry", value: { key: "service/shop", value: new Uint8Array([1, 2, 3]) } }),
  record({ case: "copy", value: { key: "service/shop", slot: 1, generation: 1n, revision: "3.5" } }),
  record({ case: "journal", value: { revision: "3.5", actor: "cli:alice", keys: ["service/shop"] } }),
  record({ case: "end", value: { entries: 1n, copies: 1n, journal: 1n } }),
];
const SUMMARY = /1 keys, 1 earlier contents and 1 journal entries at revision 3\.7, \d+ bytes, made by release 0\.1\.0/;

let folder: ReturnType<typeof tempFolder>;
let file: string;
beforeEach(() => {
  folder = tempFolder();
  file = join(folder.path, "plane.backup");
});
afterEach(() => folder[Symbol.dispose]());

const backup = (records: readonly BackupRecord[] = RECORDS, ...flags: string[]) => {
  const answers = records.map((one) => ({ records: [one] }));
  return runAgainst({ Backup: () => answers }, ["backup", file, ...flags]);
};
const restore = (restored: () => unknown = () => ({ revision: "4.1", restored: {} }), ...flags: string[]) =>
  runAgainst({ Restore: restored }, ["restore", file, ...flags]);

describe("fairlead restore of a backup with records that cannot be read", () => {
  it("says how to restore the rest, and names what was left out", async () => {
    await backup();
    const refused = () => {
      throw planeError(INVALID_ARGUMENT, "BACKUP_RECORD_UNREADABLE", "record 7, key x: no");
    };
    expect((await restore(refused)).stderr).toMatch(/record 7, key x.*\n.*\n.*--leave-out-unreadable/);
    const { calls, stdout } = await restore(
      () => ({ revision: "4.1", restored: {}, leftOut: ["record 7, key x: it does not decode"] }),
      "--leave-out-unreadable",
    );
    expect(JSON.stringify(calls, (_, value) => (typeof value === "bigint" ? String(value) : value))).toContain(
      '"leaveOutUnreadable":true',
    );
    expect(stdout).toContain("left out: record 7, key x");
  });
});

describe("fairlead backup", () => {
  it("writes a file for its owner only, whole or not at all", async () => {
    const { code, stdout } = await backup();
    expect(code).toBe(0);
    expect(stdout).toMatch(SUMMARY);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder.path)).toEqual(["plane.backup"]);
  });

  it("replaces a file only when that is asked for", async () => {
    writeFileSync(file, "mine", { mode: 0o644 });
    const { code, stderr, calls } = await backup();
    expect({ code, calls }).toEqual({ code: 1, calls: [] });
    expect(stderr).toContain(`${file} exists: choose another name, or repeat with --force`);
    expect((await backup(RECORDS, "--force")).code).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await restore(undefined, "--dry-run")).code).toBe(0);
  });

  it("replaces nothing but a plain file, whatever is asked for", async () => {
    const precious = join(folder.path, "precious");
    writeFileSync(precious, "mine");
    symlinkSync(precious, file);
    expect(await backup(RECORDS, "--force")).toMatchObject({
      code: 1,
      calls: [],
      stderr: expect.stringContaining("a link"),
    });
    rmSync(file);
    symlinkSync(join(folder.path, "nowhere"), file);
    expect(await backup()).toMatchObject({ code: 1, calls: [], stderr: expect.stringContaining("a link") });
    rmSync(file);
    execFileSync("mkfifo", [file]);
    expect(await backup(RECORDS, "--force")).toMatchObject({
      code: 1,
      calls: [],
      stderr: expect.stringContaining("a pipe"),
    });
    rmSync(file);
    symlinkSync(precious, `${file}.part`);
    expect(await backup()).toMatchObject({ code: 1, calls: [], stderr: expect.stringContaining("a link") });
    expect(readFileSync(precious, "utf8")).toBe("mine");
    const device = await runAgainst({}, ["backup", "/dev/null", "--force"]);
    expect(device).toMatchObject({ code: 1, calls: [], stderr: expect.stringContaining("a device") });
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
  });

  it("leaves what was there when the plane ends it early, and nothing beside it", async () => {
    writeFileSync(file, "mine");
    const { code, stderr } = await backup(RECORDS.slice(0, -1), "--force");
    expect(code).toBe(1);
    expect(stderr).toContain("the plane ended the backup before it was complete: no file was written");
    const refuse = () => {
      throw planeError(UNKNOWN, "STORE_UNREACHABLE", "no NATS server is connected");
    };
    const refused = await runAgainst({ Backup: refuse }, ["backup", file, "--force"]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("no NATS server is connected") });
    expect(readFileSync(file, "utf8")).toBe("mine");
    expect(readdirSync(folder.path)).toEqual(["plane.backup"]);
  });

  it("says where it cannot write", async () => {
    file = join(folder.path, "missing", "plane.backup");
    const { code, stderr } = await backup();
    expect(code).toBe(1);
    expect(stderr).toContain(`${file}: cannot be written: no such file or directory`);
  });
});

describe("fairlead restore", () => {
  beforeEach(async () => {
    await backup();
  });

  it("sends the plane what the backup holds, after what was asked for", async () => {
    const { code, stdout, calls } = await restore(undefined, "--replace", "--reason", "disk lost");
    expect(code).toBe(0);
    const [first, ...rest] = calls.map(({ request }) => request as { records: BackupRecord[] });
    expect(first).toMatchObject({ options: { replace: true, reason: "disk lost" }, records: [] });
    expect(rest.flatMap(({ records }) => records)).toEqual(RECORDS);
    expect(stdout).toMatch(SUMMARY);
    expect(stdout).toContain("a new epoch has begun, at revision 4.1");
  });

  it("waits for the proxies where that is asked for", async () => {
    const wait = () => [{ outcome: Outcome.REACHED, total: 2, done: 2, revision: "4.1" }];
    const answers = { Restore: () => ({ revision: "4.1", restored: {} }), WaitForRevision: wait };
    const { stdout, calls } = await runAgainst(answers, ["restore", file, "--wait"]);
    expect(calls.at(-1)).toMatchObject({ method: "WaitForRevision", request: { revision: "4.1" } });
    expect(stdout).toContain("acknowledged by 2 of 2 proxies");
  });

  it("asks nothing of the plane in a dry run", async () => {
    const { code, stdout, calls } = await restore(undefined, "--dry-run");
    expect({ code, calls }).toEqual({ code: 0, calls: [] });
    expect(stdout).toMatch(SUMMARY);
  });

  it("says of an error what can be done, and whether anything was changed", async () => {
    const refused = async (code: number, reason: string, exitCode = 1) => {
      const run = await restore(() => {
        throw planeError(code, reason, "the plane's words");
      });
      expect(run.code).toBe(exitCode);
      expect(run.stderr).toContain("the plane's words");
      return run.stderr;
    };
    expect(await refused(FAILED_PRECONDITION, "STATE_NOT_EMPTY")).toContain(
      "Repeat with --replace if that is intended.",
    );
    expect(await refused(ABORTED, "REPLACED_MEANWHILE", 6)).toContain("nothing was changed");
    expect(await refused(UNKNOWN, "OUTCOME_UNKNOWN")).not.toContain("nothing was changed");
  });
});

describe("a file that cannot be restored is refused by its name, before anything is sent:", () => {
  const refused = async () => {
    const run = await restore();
    expect(run).toMatchObject({ code: 1, calls: [] });
    expect(run.stderr.startsWith(`${file}: `), run.stderr).toBe(true);
    expect(await restore(undefined, "--dry-run")).toEqual(run);
    return run.stderr;
  };

  test("one that is missing, a folder, empty, or another program's", async () => {
    expect(await refused()).toContain("cannot be read: no such file or directory");
    mkdirSync(join(folder.path, "a"));
    file = join(folder.path, "a");
    expect(await refused()).toContain("cannot be read: illegal operation on a directory");
    file = join(folder.path, "b");
    writeFileSync(file, "");
    expect(await refused()).toContain("not a backup of Fairlead");
    writeFileSync(file, "kind: Service\nname: shop\n".repeat(100));
    expect(await refused()).toContain("not a backup of Fairlead");
  });

  test("one of a newer form", async () => {
    await backup();
    const bytes = readFileSync(file);
    bytes.write("2", "fairlead backup ".length, "latin1");
    writeFileSync(file, bytes);
    expect(await refused()).toContain("written by a newer release");
  });

  test("one that breaks off anywhere", async () => {
    await backup();
    const whole = readFileSync(file);
    for (let size = 0; size < whole.byteLength; size++) {
      writeFileSync(file, whole.subarray(0, size));
      expect(await refused()).toMatch(/: damaged: (it is incomplete|its checksum)|not a backup of Fairlead/);
    }
  });

  test("one in which any bit is another, or anything is added", async () => {
    await backup();
    const whole = readFileSync(file);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.byteLength - 1), fc.nat(7), async (at, bit) => {
        const altered = Buffer.from(whole);
        altered[at] = (altered[at] ?? 0) ^ (1 << bit);
        writeFileSync(file, altered);
        await refused();
      }),
    );
    writeFileSync(file, Buffer.concat([whole, Buffer.from("x")]));
    expect(await refused()).toContain(": damaged: its checksum does not match its content");
  });
});
