import type { ControlPlaneError } from "../../domain/errors.ts";
import { printableStart } from "../../domain/printable.ts";
import type {
  BackupRecord,
  ReplaceOptions,
  RestoreRequest,
  RestoreResponse,
} from "../../gen/fairlead/admin/v1/archive_pb.ts";
import type { ArchiveRecord } from "../../store/archive.ts";
import { REFUSAL } from "../../store/keys/refusal-record.ts";
import { formatRevision } from "../../store/revision.ts";
import type { StateStore } from "../../store/state-store.ts";
import { precondition } from "../object-errors.ts";
import { archiveRecordFault, archiveRecordName } from "./archive-record-fault.ts";
import { BACKUP_FORMAT, badBackup, readRevision, recordOf } from "./backup-record.ts";

/** How many bad records an error names. */
const NAMED = 10;
const MAX_LEFT_OUT = 100;
const MAX_TEXT_LENGTH = 300;

/** Checks the records of a backup as they come in: a record that a store could not read again is not put into one. */
export class BackupReader {
  readonly #store: Pick<StateStore, "read">;
  readonly #requests: AsyncIterator<RestoreRequest>;
  readonly #counts = { entry: 0n, copy: 0n, journal: 0n };
  readonly #refusals = new Set<string>();
  /** Keys, places of copies, revisions and request ids: each may occur once. */
  readonly #seen = new Set<string>();
  readonly #bad: string[] = [];
  #badCount = 0;
  #waiting: readonly BackupRecord[] = [];
  #leavesOut = false;
  #number = 0;
  epoch = 0;
  end: RestoreResponse["restored"];
  readonly leftOut: string[] = [];

  constructor(store: Pick<StateStore, "read">, requests: AsyncIterable<RestoreRequest>) {
    this.#store = store;
    this.#requests = requests[Symbol.asyncIterator]();
  }

  async begin(): Promise<ReplaceOptions | undefined> {
    const { value, done } = await this.#requests.next();
    if (done === true) throw badBackup("it is empty");
    this.#waiting = value.records;
    this.#leavesOut = value.options?.leaveOutUnreadable === true;
    return value.options;
  }

  /** @throws ControlPlaneError at the end if a record was bad: nothing is committed, and the error is about all of them. */
  async *parts(): AsyncGenerator<readonly ArchiveRecord[]> {
    for (;;) {
      const records = this.#waiting.flatMap((record) => this.#take(record));
      // Once a record is refused, nothing more has to be written.
      if (this.#badCount === 0) yield records;
      const { value, done } = await this.#requests.next();
      if (done === true) break;
      this.#waiting = value.records;
    }
    if (this.end === undefined) throw badBackup("it ends too early");
    if (this.#badCount > 0) throw this.#error();
    yield await this.#keptRefusals();
  }

  /** What proxies refused is about them and not about the state: it is kept, except where the backup has a refusal itself. */
  async #keptRefusals(): Promise<ArchiveRecord[]> {
    const { entries } = await this.#store.read(REFUSAL.keys);
    return entries
      .filter(({ key }) => !this.#refusals.has(key))
      .map(({ key, value }) => ({ kind: "entry", key, value }) as const)
      .filter((record) => archiveRecordFault(record) === undefined);
  }

  #take(message: BackupRecord): ArchiveRecord[] {
    this.#number += 1;
    const { record } = message;
    if (this.end !== undefined) throw badBackup("it continues after its end");
    if (record.case === "head") this.#readHead(record.value);
    else if (this.epoch === 0) throw badBackup("it does not begin with a header");
    if (record.case === "end") this.#readEnd(record.value);
    const found = recordOf(message);
    if (found === undefined) return [];
    this.#counts[found.kind] += 1n;
    const problem = archiveRecordFault(found);
    if (problem !== undefined) return this.#refuse(found, problem.why, problem.isNewer);
    const twice = identities(found).find((identity) => this.#seen.has(identity));
    if (twice !== undefined) return this.#refuse(found, `${twice} occurs twice`, false);
    for (const identity of identities(found)) this.#seen.add(identity);
    if (found.kind === "entry" && found.key.startsWith(REFUSAL.keys)) this.#refusals.add(found.key);
    return [found];
  }

  #refuse(record: ArchiveRecord, why: string, isNewer: boolean): [] {
    const name = printableStart(archiveRecordName(record), MAX_TEXT_LENGTH);
    const text = `record ${this.#number}, ${name}: ${printableStart(why, MAX_TEXT_LENGTH)}`;
    if (isNewer) {
      const message = `the backup was made by a newer release: ${text}; restore it with that release`;
      throw precondition("WRITTEN_BY_NEWER_RELEASE", message);
    }
    if (this.#leavesOut) {
      if (this.leftOut.length < MAX_LEFT_OUT) this.leftOut.push(text);
      return [];
    }
    this.#badCount += 1;
    if (this.#bad.length < NAMED) this.#bad.push(text);
    return [];
  }

  #error(): ControlPlaneError {
    const more = this.#badCount > NAMED ? `; and ${this.#badCount - NAMED} more` : "";
    return badBackup(this.#bad.join("; ") + more, "BACKUP_RECORD_UNREADABLE");
  }

  #readHead({ format, revision, productVersion }: { format: number; revision: string; productVersion: string }): void {
    if (format > BACKUP_FORMAT) {
      const message = `the backup was made by release ${productVersion} (format ${format}; this one reads up to ${BACKUP_FORMAT}); restore it with that release`;
      throw precondition("WRITTEN_BY_NEWER_RELEASE", message);
    }
    if (this.epoch !== 0) throw badBackup("it has two headers");
    this.epoch = readRevision(revision).epoch;
    if (this.epoch === 0) throw badBackup(`it contains "${revision}", which is not a revision`);
  }

  #readEnd(end: NonNullable<RestoreResponse["restored"]>): void {
    const { entry, copy, journal } = this.#counts;
    if (end.entries !== entry || end.copies !== copy || end.journal !== journal)
      throw badBackup("parts of it are missing");
    this.end = end;
  }
}

/** What no other record of a store has. */
function identities(record: ArchiveRecord): readonly string[] {
  if (record.kind === "entry") return [record.key];
  if (record.kind === "copy") return [`place ${record.slot} of ${record.key}`];
  const { revision, requestId } = record.entry;
  const own = `revision ${formatRevision(revision)}`;
  return requestId === "" ? [own] : [own, `request ${requestId}`];
}
