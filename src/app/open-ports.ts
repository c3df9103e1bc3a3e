import { ServerCredentials } from "@grpc/grpc-js";
import { createAdminServer } from "../admin/admin-server.ts";
import { recordPlane } from "../control/record-plane.ts";
import { startHttpServer } from "../dashboard/http-server.ts";
import { ControlPlaneError } from "../domain/errors.ts";
import type { Context } from "../operations/context.ts";
import { containedFindings } from "../operations/observing/contained-findings.ts";
import { PRODUCT_VERSION } from "../runtime/product-version.ts";
import { formatAddress, isLoopback, type Port, parseAddress } from "./address.ts";
import { planeAddresses } from "./plane-addresses.ts";
import type { Runtime } from "./prepare-runtime.ts";
import type { RestoredState } from "./restore-state.ts";
import type { Serving } from "./serve-state.ts";
import { showState } from "./show-state.ts";
import type { Work } from "./start-work.ts";

/** Opens the ports, for proxies first, and records where they are. Returns the bound addresses, `HOST:PORT`. */
export async function openPorts(runtime: Runtime, state: RestoredState, serving: Serving, work: Work) {
  const { config, clock, random, log, registry, containment, descriptors, maxConnections, stops } = runtime;
  const { opened, store, mirror, conditions, onsets, pace } = state;
  const { replica } = config;
  let ready = false;
  const notReady = () => {
    if (!ready) return "starting";
    const notServing = descriptors.findings()[0]?.why ?? serving.notReady();
    if (notServing !== undefined) return notServing;
    const { frozen, away } = opened.status();
    const why = frozen ?? away?.why;
    return why && `${why}; open and new streams are served the last state`;
  };
  const context: Context = {
    store,
    journal: opened.journal,
    archive: opened.archive,
    mirror,
    nodes: serving.nodes,
    peers: opened.peers,
    checks: work.checks,
    conditions,
    onsets,
    clock,
    pace,
    random,
    plane: {
      version: PRODUCT_VERSION,
      replica,
      profiles: runtime.profiles,
      networksForNewFleets: state.networksForNewFleets,
      start: state.start,
    },
    storeStatus: opened.status,
    standing: () => [
      ...serving.findings(),
      ...descriptors.findings(),
      ...containedFindings(containment.failures(), clock.now()),
    ],
  };
  showState({ registry, containment, context, own: serving.own, hasDuties: work.hasDuties });
  const admin = createAdminServer({
    context,
    logger: log,
    notReady,
    containment,
    limits: { maxConnections: maxConnections.admin },
  });
  stops.add("admin calls", (graceMs) => admin.stop(graceMs));

  const open = async (port: Port, listen: (address: string) => Promise<string>) => {
    const wanted = formatAddress(config[port]);
    const address = await listen(wanted).catch((cause: unknown) => {
      throw cannotListen(port, wanted, cause);
    });
    work.bound(port, parseAddress(address) ?? config[port]);
    return address;
  };
  const addresses = {
    xds: await open("xds", (address) => serving.proxies.listen(address)),
    admin: await open("admin", (address) => admin.listen(address, ServerCredentials.createInsecure())),
    http: await open("http", async () => {
      const http = await startHttpServer({
        ...config.http,
        maxConnections: maxConnections.http,
        // A listener on other addresses may be asked under names that only its operator knows.
        mayBeAskedAs: isLoopback(config.http.host) ? isLoopback : undefined,
        registry,
        notReady,
        containment,
      });
      stops.add("http", () => http.stop());
      return formatAddress({ host: config.http.host, port: http.port });
    }),
  };
  const own = planeAddresses(
    Object.values(addresses).flatMap((text) => parseAddress(text) ?? []),
    runtime.interfaces(),
  );
  const recording = recordPlane({ mirror, store, clock, log, replica, addresses: own });
  stops.add("record of this plane", () => recording.stop());
  ready = true;
  return addresses;
}

function cannotListen(port: Port, address: string, cause: unknown): ControlPlaneError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ControlPlaneError({
    kind: "precondition",
    code: "CANNOT_LISTEN",
    message: `cannot listen on ${address}: ${why}; choose another address with --${port}`,
    cause,
  });
}
