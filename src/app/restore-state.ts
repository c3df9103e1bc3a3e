import { follow } from "../control/follow.ts";
import { Mirror } from "../control/mirror.ts";
import { StateDigest } from "../control/state-digest.ts";
import { encodingProfile } from "../domain/encoding-profile.ts";
import { ControlPlaneError } from "../domain/errors.ts";
import type { Kind } from "../domain/name.ts";
import { StoredRefusals } from "../fleet/stored-refusals.ts";
import type { PlaneStart } from "../operations/context.ts";
import { fillNetworks, networksForNewFleetsOf } from "../operations/objects/fill-networks.ts";
import { CurrentConditions } from "../operations/observing/current-conditions.ts";
import { watchOnsets } from "../operations/observing/onset-watch.ts";
import { Onsets } from "../operations/observing/onsets.ts";
import { Pace } from "../runtime/pace.ts";
import { RECORDS } from "../store/keys/records.ts";
import { formatRevision } from "../store/revision.ts";
import { listensOnLoopbackOnly } from "./address.ts";
import { measureStore } from "./measured-store.ts";
import { openStore } from "./open-store.ts";
import type { Runtime } from "./prepare-runtime.ts";
import { watchStore } from "./watch-store.ts";

/** The state, as it was stored and as it changes from then on. */
export type RestoredState = Awaited<ReturnType<typeof restoreState>>;

/** Opens the store and reads all that is in it, and from then on whatever is added. */
export async function restoreState(runtime: Runtime) {
  const { config, clock, log, metrics, containment, profiles, stops, startedAt } = runtime;
  const { replica } = config;
  const opened = await openStore(config, runtime);
  const store = measureStore(opened.state, metrics, clock);
  stops.add("store", () => store.close());
  stops.add("watch of the store", watchStore(opened.status, runtime));

  const mirror = new Mirror((input, run) => containment.contain("record", input, run));
  const refusals = new StoredRefusals({ store, clock, log, replica });
  const digest = new StateDigest();
  const stopped = new AbortController();
  const signal: AbortSignal = stopped.signal;
  // The mirror comes last, since its listeners act on what the others know.
  const { failed, readAnew } = follow(store, [digest, refusals, mirror], { signal, log });
  // The caller awaits it; before that, a failure would show as a mirror that never syncs.
  failed.catch(() => undefined);
  stops.add("reading of the store", () => stopped.abort());
  await Promise.race([mirror.reach({ epoch: 0, position: 0 }), failed]);
  refuseLaterProfile(mirror, profiles);

  const tookMs = Math.round(clock.monotonic() - startedAt);
  const start: PlaneStart = { at: clock.now() - tookMs, revision: mirror.revision, tookMs };
  log.info(
    { revision: formatRevision(start.revision), durationMs: tookMs, ...countsOf(mirror) },
    "the state is restored",
  );
  const pace = new Pace(clock);
  const conditions = new CurrentConditions(mirror);
  const onsets = new Onsets();
  stops.add("watch of what stands", watchOnsets({ mirror, conditions, onsets, clock, pace }));

  const networksForNewFleets = networksForNewFleetsOf(listensOnLoopbackOnly(config));
  // Done before anything is derived, so what ran before fleets had networks keeps running.
  await fillNetworks({ mirror, store, networksForNewFleets, replica });
  return {
    opened,
    store,
    mirror,
    refusals,
    digest,
    conditions,
    onsets,
    pace,
    networksForNewFleets,
    start,
    /** Folds the whole state again. */
    readAnew,
    /** Rejects when the store's log can no longer be followed; never resolves. */
    failed,
    /** Aborted when the store is no longer read. */
    signal,
  };
}

function refuseLaterProfile(mirror: Mirror, supported: readonly number[]): void {
  const profile = encodingProfile(mirror);
  // A profile record that cannot be read does not count here: nothing is sent until it is written again.
  if (supported.includes(profile) || mirror.setAside.has(RECORDS.profile.key(""))) return;
  const found = Number.isFinite(profile)
    ? `uses encoding profile ${profile}`
    : "is in a form that only a later release knows";
  throw new ControlPlaneError({
    kind: "precondition",
    code: "PROFILE_UNSUPPORTED",
    message: `the stored state ${found}; this release supports encoding profiles ${supported.join(" and ")}: run a later release`,
  });
}

function countsOf(mirror: Mirror) {
  const count = (kind: Kind) => [...mirror.all(kind)].length;
  return { services: count("service"), backends: count("backend"), routes: count("route"), fleets: count("fleet") };
}
