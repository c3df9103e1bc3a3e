import { create } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Mirror } from "../../../src/control/mirror.ts";
import { KINDS, type Kind, type Name, serviceOf } from "../../../src/domain/name.ts";
import { ImportedObjectSchema } from "../../../src/gen/fairlead/admin/v1/archive_pb.ts";
import { type GivenObject, readGiven } from "../../../src/operations/archive/imported-object.ts";
import { type ImportPlan, planImport } from "../../../src/operations/archive/plan-import.ts";
import { anyObject } from "../../../src/operations/objects/any-object.ts";
import { changesSpec, fieldChanges } from "../../../src/schema/field-changes.ts";
import { hasHistory, type MessageOf } from "../../../src/schema/kinds/registry.ts";
import { manifestKind, messageFromJson } from "../../../src/schema/object-json.ts";
import { cloneMessage } from "../../../src/schema/object-message.ts";
import { type Manifest, manifests, manifestsOf } from "../../support/arbitrary-state.ts";

interface Detail {
  readonly generation: number;
  readonly isNameless: boolean;
  readonly team: string;
  readonly status: string;
}

const details = fc.array(
  fc.record<Detail>({
    generation: fc.nat(4),
    isNameless: fc.boolean(),
    team: fc.constantFrom("a", "b"),
    status: fc.constantFrom("HEALTHY", "UNHEALTHY"),
  }),
  { minLength: 40, maxLength: 40 },
);
/** With many verdicts on backends that are there. */
const objects = fc
  .tuple(manifests, fc.array(fc.oneof(manifestsOf("backend"), manifestsOf("health")), { minLength: 20, maxLength: 40 }))
  .map(([some, more]): Manifest[] => [...["a", "b"].map((name) => ({ kind: "Service", name })), ...some, ...more]);
const earlierFile = fc.tuple(objects, details).map(([all, more]) => fileOf(all, more));
/** Two files that have objects in common, some of which differ; some of the second do not say who they are. */
const twoFiles = fc
  .tuple(objects, details, objects, details, fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }))
  .map(([first, ofFirst, second, ofSecond, isKept]) => {
    const common = first.filter((_, i) => isKept[i % isKept.length]);
    return [fileOf(first, ofFirst), fileOf([...second, ...common], ofSecond)] as const;
  });

test("an import into nothing, exported and imported again, here or elsewhere, is the same to the byte", async () => {
  await fc.assert(
    fc.asyncProperty(earlierFile, async (file) => {
      const first = stateAfter(await plan(new Mirror(), file, 1_000));
      const again = await plan(first, exportOf(first), 2_000);
      expect(entriesOf(stateAfter(again))).toEqual(entriesOf(first));
      expect(again.removed).toEqual([]);
      expect(again.planned.filter(({ action }) => action !== "unchanged")).toEqual([]);
      const elsewhere = await plan(new Mirror(), exportOf(first), 3_000);
      expect(entriesOf(stateAfter(elsewhere))).toEqual(entriesOf(first));
    }),
  );
});

test("an object that goes on keeps its uid, and its generation grows with its spec and with nothing else", async () => {
  await fc.assert(
    fc.asyncProperty(twoFiles, async ([earlier, file]) => {
      const before = stateAfter(await plan(new Mirror(), earlier, 1_000));
      const { planned } = await plan(before, file, 2_000);
      const after = stateAfter({ planned, removed: [], kept: [] });
      for (const { kind, name, key, action, copy } of planned) {
        const said = file.find((one) => one.key === key)?.message.meta;
        const there = before.stored(kind, name)?.message;
        const now = stored(after, kind, name);
        const goesOn = there !== undefined && (said?.uid === "" || said?.uid === there.meta?.uid);
        const grows = there === undefined || changesSpec(fieldChanges(kind, there, now));
        if (goesOn) {
          expect(now.meta).toMatchObject({ uid: there.meta?.uid, createTime: there.meta?.createTime });
          expect(Number(now.meta?.generation) > Number(there.meta?.generation)).toBe(grows);
          expect(action === "unchanged").toBe(now.meta?.updateTime?.seconds === there.meta?.updateTime?.seconds);
        } else {
          expect(now.meta?.uid).toMatch(said?.uid || /^fresh-/);
          expect(now.meta?.generation).toBe(said?.generation || 1n);
          expect(action).toBe(there === undefined ? "create" : "update");
        }
        const isNew = hasHistory(kind) && (grows || !goesOn);
        expect(copy?.generation).toBe(isNew ? Number(now.meta?.generation) : undefined);
      }
    }),
  );
});

test("what is there after is what the file says, and the verdicts that were found on backends that stay", async () => {
  await fc.assert(
    fc.asyncProperty(twoFiles, async ([earlier, file]) => {
      const before = stateAfter(await plan(new Mirror(), earlier, 1_000));
      const decided = await plan(before, file, 2_000);
      const after = stateAfter(decided);
      for (const kind of KINDS.filter((one) => one !== "health")) {
        const wanted = namesOf(file, kind);
        expect(Array.from(after.all(kind), ({ name }) => name).sort()).toEqual(wanted);
        const gone = decided.removed.filter((one) => one.kind === kind).map(({ name }) => name);
        expect(gone.sort()).toEqual(
          Array.from(before.all(kind), ({ name }) => name)
            .filter((name) => !wanted.includes(name))
            .sort(),
        );
      }
      const overrides = namesOf(file, "health").filter((name) => name.endsWith("override"));
      for (const { name, source, backend } of after.all("health")) {
        const there = after.get("backend", backend);
        expect(there, `${name} is on a backend that is there`).toBeDefined();
        const was = before.stored("health", name);
        const isSame = there?.meta.uid === before.get("backend", backend)?.meta.uid;
        if (source === "override") expect(overrides).toContain(name);
        else if (was !== undefined && isSame) expect(stored(after, "health", name)).toEqual(was.message);
        else expect(namesOf(file, "health")).toContain(name);
      }
      for (const { name, source, backend } of before.all("health")) {
        const isSame = after.get("backend", backend)?.meta.uid === before.get("backend", backend)?.meta.uid;
        if (source !== "override" && isSame) expect(after.get("health", name)).toBeDefined();
      }
    }),
  );
});

test("a backend without its service is refused, with its place in the file", async () => {
  const file = given([
    { kind: "Service", name: "shop" },
    { kind: "Backend", name: "pay/1", address: "10.0.0.1:80" },
  ]);
  await expect(plan(new Mirror(), file, 0)).rejects.toMatchObject({
    code: "INVALID_FIELD",
    violations: [{ field: "objects[1].name", message: "the service pay is not among the objects" }],
  });
});

/** A file that can be imported: backends have their service. */
function fileOf(all: readonly Manifest[], more: readonly Detail[]): GivenObject[] {
  const detailed = all.map((manifest, i): Manifest => {
    const { generation = 0, isNameless = false, team = "", status = "" } = more[i % more.length] ?? {};
    const own = manifest.kind === "Health" ? { status } : { labels: { team } };
    return { ...manifest, ...own, meta: isNameless ? {} : { ...(manifest["meta"] as object), generation } };
  });
  const objects = given(detailed);
  const services = new Set(namesOf(objects, "service"));
  return objects.filter(({ kind, name }) => kind !== "backend" || services.has(serviceOf(name)));
}

/** The last of each key counts, as an import refuses a second one. */
function given(all: readonly Manifest[]): GivenObject[] {
  const read = all.map(({ kind: word, ...json }) => {
    const named = word === "Health" ? ({ ok: true, kind: "health" } as const) : manifestKind(word);
    if (!named.ok) throw new Error(named.message);
    const message = messageFromJson(named.kind, json);
    if (!message.ok) throw new Error(JSON.stringify(message.violations));
    return givenOf(named.kind, message.message);
  });
  return [...new Map(read.map((one) => [one.key, one])).values()];
}

function givenOf<K extends Kind>(kind: K, message: MessageOf[K]): GivenObject {
  const object =
    kind === "health"
      ? { case: "health" as const, value: message as MessageOf["health"] }
      : { case: "any" as const, value: anyObject(kind, message as never) };
  const read = readGiven(new Mirror(), create(ImportedObjectSchema, { object }), "");
  if (!read.ok) throw new Error(JSON.stringify(read.violations));
  return read.given;
}

/** As `fairlead export` and `import` bring it: without what says nothing elsewhere. */
function exportOf(state: Mirror): GivenObject[] {
  return KINDS.flatMap((kind) =>
    Array.from(state.all(kind), ({ name }) => {
      const message = cloneMessage(kind, stored(state, kind, name));
      if (message.meta !== undefined) Object.assign(message.meta, { version: "", requestId: "" });
      return givenOf(kind, message);
    }),
  );
}

let uids = 0;
async function plan(state: Mirror, file: readonly GivenObject[], now: number): Promise<ImportPlan> {
  const own = file.map(({ kind, message }) => givenOf(kind, message));
  return await planImport(state, own, { uid: () => `fresh-${uids++}`, now }, { breathe: async () => undefined });
}

function stateAfter({ planned, kept }: ImportPlan): Mirror {
  const revision = { epoch: 1, position: 1 };
  const state = new Mirror();
  const entries = [...planned, ...kept].map(({ key, value }) => ({ key, value, revision }));
  expect(new Set(entries.map(({ key }) => key)).size, "each key once").toBe(entries.length);
  state.fold({ kind: "state", entries, revision, synced: true });
  return state;
}

function stored<K extends Kind>(state: Mirror, kind: K, name: Name): MessageOf[K] {
  const found = state.stored(kind, name);
  if (found === undefined) throw new Error(`${kind} ${name} is not there`);
  return found.message;
}

function entriesOf(state: Mirror): Record<string, unknown> {
  return Object.fromEntries(
    KINDS.flatMap((kind) => Array.from(state.all(kind), ({ name }) => [`${kind} ${name}`, stored(state, kind, name)])),
  );
}

function namesOf(file: readonly GivenObject[], kind: Kind): Name[] {
  return file
    .filter((one) => one.kind === kind)
    .map(({ name }) => name)
    .sort();
}
