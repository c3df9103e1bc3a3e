import { ControlPlaneError } from "../domain/errors.ts";
import { parseStoreKey } from "../domain/name.ts";
import { REFUSALS } from "../fleet/stored-refusals.ts";
import type {
  BackupRecord,
  ReplaceOptions,
  RestoreRequest,
  RestoreResponse,
} from "../gen/fairlead/admin/v1/archive_pb.ts";
import { decodeStored } from "../schema/stored-object.ts";
import type { ArchiveRecord } from "../store/archive.ts";
import { formatRevision } from "../store/revision.ts";
import { BACKUP_FORMAT, badBackup, readRevision, recordOf } from "./backup-record.ts";
import type { Caller, Context } from "./context.ts";
import { checkReplace, replaceState } from "./replace-state.ts";

/**
 * Makes the store hold what a backup holds and nothing else, and begins a new epoch.
 *
 * One thing of the present is kept: which proxies refused what. That is about them and not about the state, and without it
 * they could be left with something that nobody knows of.
 *
 * @throws ControlPlaneError `invalid` / `BAD_BACKUP`; `precondition` / `STATE_NOT_EMPTY`, `WRITTEN_BY_NEWER_RELEASE`; and
 * what `Archive.replace` refuses. Then nothing has changed.
 */
export async function restore(
  context: Context,
  caller: Caller,
  requests: AsyncIterable<RestoreRequest>,
): Promise<Omit<RestoreResponse, "$typeName">> {
  const reader = new BackupReader(context, requests);
  const first = await reader.begin();
  checkReplace(context.mirror, first);
  const revision = await replaceState(context, caller, {
    operation: "restore",
    reason: first?.reason ?? "",
    parts: reader.parts(),
    keys: [],
    laterThan: () => reader.epoch,
  });
  return { revision: formatRevision(revision), restored: reader.end };
}

class BackupReader {
  readonly #store: Context["store"];
  readonly #requests: AsyncIterator<RestoreRequest>;
  readonly #counts = { entry: 0n, copy: 0n, journal: 0n };
  readonly #refusals = new Set<string>();
  #waiting: readonly BackupRecord[] = [];
  epoch = 0;
  end: RestoreResponse["restored"];

  constructor({ store }: Context, requests: AsyncIterable<RestoreRequest>) {
    this.#store = store;
    this.#requests = requests[Symbol.asyncIterator]();
  }

  async begin(): Promise<ReplaceOptions | undefined> {
    const { value, done } = await this.#requests.next();
    if (done === true) throw badBackup("it is empty");
    this.#waiting = value.records;
    return value.options;
  }

  async *parts(): AsyncGenerator<readonly ArchiveRecord[]> {
    for (;;) {
      yield this.#waiting.flatMap((record) => this.#take(record));
      const { value, done } = await this.#requests.next();
      if (done === true) break;
      this.#waiting = value.records;
    }
    if (this.end === undefined) throw badBackup("it breaks off before its end");
    const { entries } = await this.#store.read(REFUSALS);
    yield entries
      .filter(({ key }) => !this.#refusals.has(key))
      .map(({ key, value }) => ({ kind: "entry", key, value }) as const);
  }

  #take(message: BackupRecord): ArchiveRecord[] {
    const { record } = message;
    if (this.end !== undefined) throw badBackup("it goes on after its end");
    if (record.case === "head") this.#readHead(record.value);
    else if (this.epoch === 0) throw badBackup("it does not begin with a head");
    if (record.case === "end") this.#readEnd(record.value);
    const found = recordOf(message);
    if (found === undefined) return [];
    this.#counts[found.kind] += 1n;
    if (found.kind === "entry") {
      if (found.key.startsWith(REFUSALS)) this.#refusals.add(found.key);
      refuseNewer(found.key, found.value);
    }
    return [found];
  }

  #readHead({ format, revision, productVersion }: { format: number; revision: string; productVersion: string }): void {
    if (format > BACKUP_FORMAT) {
      throw new ControlPlaneError({
        kind: "precondition",
        code: "WRITTEN_BY_NEWER_RELEASE",
        message: `the backup was made by release ${productVersion} (format ${format}; this one reads up to ${BACKUP_FORMAT}); restore it with that release`,
      });
    }
    this.epoch = readRevision(revision).epoch;
  }

  #readEnd(end: NonNullable<RestoreResponse["restored"]>): void {
    const { entry, copy, journal } = this.#counts;
    if (end.entries !== entry || end.copies !== copy || end.journal !== journal)
      throw badBackup("parts of it are missing");
    this.end = end;
  }
}

/** An object that cannot be read was so when the backup was made; one that a newer release wrote was not. */
function refuseNewer(key: string, value: Uint8Array): void {
  if (parseStoreKey(key) === undefined) return;
  try {
    decodeStored(key, value, { epoch: 0, position: 0 });
  } catch (error) {
    if (error instanceof ControlPlaneError && error.code === "WRITTEN_BY_NEWER_RELEASE") throw error;
  }
}
