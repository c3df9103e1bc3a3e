import { ServerCredentials } from "@grpc/grpc-js";
import { type AdminServer, createAdminServer } from "../admin/admin-server.ts";
import { ADMIN_LIMITS } from "../admin/limits.ts";
import { Fence } from "../control/fence.ts";
import { follow } from "../control/follow.ts";
import { Mirror } from "../control/mirror.ts";
import { fleetOf } from "../control/proxy-group.ts";
import { Publisher } from "../control/publisher.ts";
import { recordPlane } from "../control/record-plane.ts";
import { StateDigest } from "../control/state-digest.ts";
import { MAX_HTTP_CONNECTIONS, startHttpServer } from "../dashboard/http-server.ts";
import { ENCODING_PROFILES, encodingProfile } from "../domain/encoding-profile.ts";
import { ControlPlaneError } from "../domain/errors.ts";
import type { Kind } from "../domain/name.ts";
import { liveReplicas, startDuties } from "../duties/start-duties.ts";
import { LocalNodeDirectory } from "../fleet/local-node-directory.ts";
import { SharedNodeDirectory } from "../fleet/shared-node-directory.ts";
import { StoredRefusals } from "../fleet/stored-refusals.ts";
import { startHealth } from "../health/start-health.ts";
import type { PlaneStart } from "../operations/context.ts";
import { fillNetworks, networksForNewFleetsOf } from "../operations/objects/fill-networks.ts";
import { containedFindings } from "../operations/observing/contained-findings.ts";
import { CurrentConditions } from "../operations/observing/current-conditions.ts";
import type { Finding } from "../operations/observing/finding.ts";
import { watchOnsets } from "../operations/observing/onset-watch.ts";
import { Onsets } from "../operations/observing/onsets.ts";
import { containedClock } from "../runtime/contained-clock.ts";
import { Containment } from "../runtime/containment.ts";
import { descriptorLimit } from "../runtime/descriptor-limit.ts";
import { connectionShares, DescriptorWatch } from "../runtime/descriptors.ts";
import { createMetrics } from "../runtime/metrics.ts";
import { Pace } from "../runtime/pace.ts";
import { PRODUCT_VERSION } from "../runtime/product-version.ts";
import { RECORDS } from "../store/keys/records.ts";
import type { PeerPosition } from "../store/peers.ts";
import { formatRevision } from "../store/revision.ts";
import { DEFAULT_LIMITS, ResourceCache } from "../xds/server/library.ts";
import { type Address, type Config, formatAddress, isLoopback, listensOnLoopbackOnly, parseAddress } from "./config.ts";
import { keepInStep } from "./keep-in-step.ts";
import type { Machine } from "./machine.ts";
import { measureStore } from "./measured-store.ts";
import { openDoor } from "./open-door.ts";
import { openStore } from "./open-store.ts";
import { planeAddresses } from "./plane-addresses.ts";
import { sinkInto } from "./resource-sink.ts";
import { serveProxies } from "./serve-proxies.ts";
import { StopSequence } from "./stop-sequence.ts";
import { watchSetAside } from "./watch-set-aside.ts";
import { watchStore } from "./watch-store.ts";

/** A plane that is serving. */
export interface Running {
  /** Bound addresses, `HOST:PORT`. */
  readonly addresses: { readonly xds: string; readonly admin: string; readonly http: string };
  /** Rejects when the plane cannot go on; never resolves. */
  readonly failed: Promise<never>;
  /**
   * Ends streams and closes the store, within the grace period plus a second, whatever hangs. Returns what did not end in
   * time; the process had better end then, too.
   */
  stop(graceMs: number): Promise<readonly string[]>;
}

/**
 * Starts a plane: store, mirror, first derivation, and only then the ports. No stream is accepted before everything has
 * been derived once, so no request is ever answered from a half-loaded state.
 *
 * @throws ControlPlaneError when the store cannot be opened or an address cannot be bound; what was started is stopped.
 */
export async function start(config: Config, machine: Machine): Promise<Running> {
  const stops = new StopSequence(machine);
  try {
    return { ...(await startParts(config, machine, stops)), stop: (graceMs) => stops.run(graceMs) };
  } catch (thrown) {
    await stops.run(0);
    throw thrown;
  }
}

async function startParts(config: Config, given: Machine, stops: StopSequence): Promise<Omit<Running, "stop">> {
  const { random, log, profiles = ENCODING_PROFILES } = given;
  for (const warning of config.warnings) log.warn({}, warning);
  const metrics = createMetrics(() => connectedByFleet(mirror, local), given.lostLogLines);
  const containment = new Containment({ ...given, registry: metrics.registry });
  const clock = containedClock(given.clock, containment);
  const machine = { ...given, clock };
  const startedAt = clock.monotonic();

  const limit = descriptorLimit();
  const descriptors = new DescriptorWatch({ limit, clock, log, registry: metrics.registry });
  stops.add("watch of the descriptors", () => descriptors.stop());
  const shares = connectionShares(limit, {
    http: MAX_HTTP_CONNECTIONS,
    admin: ADMIN_LIMITS.maxConnections,
    xds: DEFAULT_LIMITS.maxConnections,
  });

  const opened = await openStore(config, machine, { registry: metrics.registry, containment });
  const store = measureStore(opened.state, metrics, clock);
  stops.add("store", () => store.close());
  stops.add("watch of the store", watchStore({ ...machine, status: opened.status, registry: metrics.registry }));

  const mirror = new Mirror((input, run) => containment.contain("record", input, run));
  const stopped = new AbortController();
  const refusals = new StoredRefusals({ store, clock, log, replica: config.replica });
  const digest = new StateDigest();
  // The mirror comes last, since its listeners act on what the others know.
  const { failed, readAnew } = follow(store, [digest, refusals, mirror], { signal: stopped.signal, log });
  // The caller awaits it; before that, a failure would show as a mirror that never syncs.
  failed.catch(() => undefined);
  stops.add("reading of the store", () => stopped.abort());
  await Promise.race([mirror.reach({ epoch: 0, position: 0 }), failed]);
  // A profile record that cannot be read does not count here: nothing is sent until it is written again.
  if (!profiles.includes(encodingProfile(mirror)) && !mirror.setAside.has(RECORDS.profile.key(""))) {
    throw profileUnsupported(encodingProfile(mirror), profiles);
  }

  const tookMs = Math.round(clock.monotonic() - startedAt);
  const start: PlaneStart = { at: clock.now() - tookMs, revision: mirror.revision, tookMs };
  const restored = { revision: formatRevision(start.revision), durationMs: tookMs };
  log.info({ ...restored, ...countsOf(mirror) }, "the state is restored");
  const pace = new Pace(clock);
  const conditions = new CurrentConditions(mirror);
  const onsets = new Onsets();
  stops.add("watch of what stands", watchOnsets({ mirror, conditions, onsets, clock, pace }));

  const networksForNewFleets = networksForNewFleetsOf(listensOnLoopbackOnly(config));
  // Done before anything is derived, so what ran before fleets had networks keeps running.
  await fillNetworks({ mirror, store, networksForNewFleets, replica: config.replica });
  const setAside = watchSetAside({ mirror, log, onChange: () => proxies.recheckHolds() });

  const cache = new ResourceCache();
  const publisher = new Publisher({
    mirror,
    sink: sinkInto(cache),
    clock,
    onFleetsChanged: () => proxies.regroup(),
    onPublished: (durationMs) => metrics.publish.observe(durationMs / 1000),
  });
  const local = new LocalNodeDirectory({
    streams: () => proxies,
    publications: publisher.log,
    clock,
    replica: config.replica,
    fleetOf,
    objectsOf: (group, typeUrl, name) => publisher.resource(group, typeUrl, name)?.objects ?? [],
    onSettled: (latencyMs) => metrics.commitToAck.observe(latencyMs / 1000),
  });
  const nodes = new SharedNodeDirectory({ local, peers: opened.peers, clock });
  stops.add("proxies of other replicas", () => nodes.stop());
  stops.add("farewell to the other replicas", () => nodes.farewell());
  const fencing = new Fence({ store, mirror, clock, onRetry: () => proxies.recheckHolds() });
  const inStep = keepInStep({
    mirror,
    digest,
    profiles,
    store: opened,
    catchUp: () => fencing.pass(stopped.signal),
    readAnew,
    proxies: () => proxies,
    clock,
    random,
    log,
    registry: metrics.registry,
  });
  stops.add("comparison with the other replicas", () => inStep.stop());
  opened.peers.announce(() => positionOf({ mirror, digest, told: inStep.told(), news: local.changes, profiles }));
  const fence = (signal: AbortSignal) => fencing.pass(signal);
  const identifier = () => `${config.replica}/${formatRevision(mirror.revision)}`;
  const proxies = serveProxies({
    maxConnections: shares.xds,
    cache,
    mirror,
    nodes: local,
    refusals,
    metrics,
    clock,
    random,
    log,
    fence,
    identifier,
    hold: (client, resource, version) => inStep.hold() ?? setAside.hold(client, resource, version),
    admit: inStep.admit,
    containment,
  });
  stops.add("streams of proxies", (graceMs) => proxies.stop({ graceMs }));
  stops.add("publishing", () => stopPublishing());
  const stopPublishing = publisher.start();

  const duties = startDuties({
    mirror,
    store,
    clock,
    log,
    containment,
    lease: opened.lease,
    workers: () => liveReplicas(config.replica, opened.peers),
    networksForNewFleets,
  });
  stops.add("duties", () => duties.stop());
  const { registry } = metrics;
  const outbound = openDoor({
    config,
    store: opened,
    planes: () => mirror.planeAddresses.map((address) => ({ what: "where a plane of this store listens", ...address })),
    interfaces: machine.interfaces,
    clock,
  });
  stops.add("outbound door", () => outbound.stop());
  const health = startHealth({
    worker: config.replica,
    mirror,
    store,
    clock,
    random,
    log,
    registry,
    peers: opened.peers,
    door: outbound.door,
    containment,
  });
  stops.add("health checks", () => health.stop());

  let ready = false;
  const notReady = () => {
    if (!ready) return "starting";
    const exhausted = descriptors.exhausted();
    if (exhausted !== undefined) return exhausted.why;
    const notUnderstood = setAside.notReady();
    if (notUnderstood !== undefined) return notUnderstood;
    const notInStep = inStep.admit();
    if (notInStep !== undefined) return notInStep;
    const { frozen, away } = opened.status();
    const why = frozen ?? away?.why;
    return why && `${why}; open and new streams are served the last state`;
  };
  const admin: AdminServer = createAdminServer({
    context: {
      store,
      journal: opened.journal,
      archive: opened.archive,
      mirror,
      nodes,
      peers: opened.peers,
      checks: health.view,
      conditions,
      onsets,
      clock,
      pace,
      random,
      plane: { version: PRODUCT_VERSION, replica: config.replica, profiles, networksForNewFleets, start },
      storeStatus: opened.status,
      standing: () => [
        ...inStep.findings(),
        ...descriptorFindings(descriptors),
        ...containedFindings(containment.failures(), clock.now()),
      ],
    },
    logger: log,
    notReady,
    containment,
    limits: { maxConnections: shares.admin },
  });
  stops.add("admin calls", (graceMs) => admin.stop(graceMs));
  const bind = async (setting: "xds" | "admin" | "http", listen: (address: string) => Promise<string>) => {
    const address = await bound(setting, config[setting], listen);
    outbound.bound(setting, parseAddress(address) ?? config[setting]);
    return address;
  };
  const addresses = {
    xds: await bind("xds", (address) => proxies.listen(address)),
    admin: await bind("admin", (address) => admin.listen(address, ServerCredentials.createInsecure())),
    http: await bind("http", async () => {
      const http = await startHttpServer({
        ...config.http,
        maxConnections: shares.http,
        // A listener on other addresses may be asked under names that only its operator knows.
        mayBeAskedAs: isLoopback(config.http.host) ? isLoopback : undefined,
        registry: metrics.registry,
        notReady,
        containment,
      });
      stops.add("http", () => http.stop());
      return formatAddress({ host: config.http.host, port: http.port });
    }),
  };
  const recording = recordPlane({
    mirror,
    store,
    clock,
    log,
    replica: config.replica,
    addresses: planeAddresses(Object.values(addresses), machine.interfaces()),
  });
  stops.add("record of this plane", () => recording.stop());
  ready = true;
  log.info(
    { ...addresses, replica: config.replica, durationMs: Math.round(clock.monotonic() - startedAt) },
    "listening",
  );
  clock.after(PROXIES_BACK_MS, () => {
    const proxies = [...local.connectedByFleet().values()].reduce((sum, count) => sum + count, 0);
    log.info({ proxies, ...restored }, "proxies are back after the start");
  });
  return { addresses, failed };
}

/** Includes fleets without a connected proxy; `""` is for proxies that no fleet selects. */
function connectedByFleet(mirror: Mirror, local: LocalNodeDirectory): ReadonlyMap<string, number> {
  const none = ["", ...Array.from(mirror.all("fleet"), ({ name }) => name)].map((fleet) => [fleet, 0] as const);
  return new Map([...none, ...local.connectedByFleet()]);
}

/** Proxies come back within this time: Envoy tries again after at most half a minute. */
const PROXIES_BACK_MS = 60_000;

function countsOf(mirror: Mirror) {
  const count = (kind: Kind) => [...mirror.all(kind)].length;
  return { services: count("service"), backends: count("backend"), routes: count("route"), fleets: count("fleet") };
}

function descriptorFindings(descriptors: DescriptorWatch): Finding[] {
  const exhausted = descriptors.exhausted();
  return exhausted === undefined ? [] : [{ what: "no descriptor is left", ...exhausted }];
}

function profileUnsupported(profile: number, profiles: readonly number[]): ControlPlaneError {
  const found = Number.isFinite(profile) ? `encoding profile ${profile}` : "a form that only a later release knows";
  return new ControlPlaneError({
    kind: "precondition",
    code: "PROFILE_UNSUPPORTED",
    message: `the state is in ${found}; this release supports encoding profiles ${profiles.join(" and ")}: run a later one`,
  });
}

function positionOf(of: {
  readonly mirror: Mirror;
  readonly digest: StateDigest;
  readonly told: Pick<PeerPosition, "held" | "storeWentBack">;
  readonly news: number;
  readonly profiles: readonly number[];
}): PeerPosition {
  const { told, news, profiles } = of;
  const { revision } = of.mirror;
  const digest = of.digest.at(revision);
  return { revision, news, profiles, ...told, ...(digest !== undefined && { digest }) };
}

/** Opens a port, or throws an error that says which setting to change. */
async function bound(
  setting: "xds" | "admin" | "http",
  wanted: Address,
  listen: (address: string) => Promise<string>,
): Promise<string> {
  const address = formatAddress(wanted);
  try {
    return await listen(address);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ControlPlaneError({
      kind: "precondition",
      code: "CANNOT_LISTEN",
      message: `cannot listen on ${address}: ${why}; choose another address with --${setting}`,
      cause,
    });
  }
}
