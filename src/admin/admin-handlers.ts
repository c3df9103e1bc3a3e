import type { AdminService } from "../gen/fairlead/admin/v1/admin_pb.ts";
import { apply } from "../operations/apply.ts";
import { backup } from "../operations/backup.ts";
import { clearHealth } from "../operations/clear-health.ts";
import { completeDrain } from "../operations/complete-drain.ts";
import type { Context } from "../operations/context.ts";
import { createObject } from "../operations/create-object.ts";
import { deleteObject } from "../operations/delete-object.ts";
import { deleteRecord } from "../operations/delete-record.ts";
import { drainBackend } from "../operations/drain-backend.ts";
import { explainBackend } from "../operations/explain-backend.ts";
import { explainNode } from "../operations/explain-node.ts";
import { explainRequest } from "../operations/explain-request.ts";
import { explainRoute } from "../operations/explain-route.ts";
import { explainService } from "../operations/explain-service.ts";
import { getNode } from "../operations/get-node.ts";
import { getObject } from "../operations/get-object.ts";
import { getStatus } from "../operations/get-status.ts";
import { importState } from "../operations/import-state.ts";
import { listHistory } from "../operations/list-history.ts";
import { listNodes } from "../operations/list-nodes.ts";
import { listObjects } from "../operations/list-objects.ts";
import { putPolicy } from "../operations/put-policy.ts";
import { registerBackend } from "../operations/register-backend.ts";
import { reportHealth } from "../operations/report-health.ts";
import { resend } from "../operations/resend.ts";
import { restore } from "../operations/restore.ts";
import { rollback } from "../operations/rollback.ts";
import { rollbackRevision } from "../operations/rollback-revision.ts";
import { SeenObservations } from "../operations/seen-observations.ts";
import { setEncodingProfile } from "../operations/set-encoding-profile.ts";
import { unregisterBackend } from "../operations/unregister-backend.ts";
import { updateObject } from "../operations/update-object.ts";
import { waitForRevision } from "../operations/wait-for-revision.ts";
import { watch } from "../operations/watch.ts";
import { WatchEvents } from "../operations/watch-events.ts";
import type { WrittenObject } from "../operations/write-object.ts";
import type { AppliedKind, MessageOf } from "../schema/kinds/registry.ts";
import type { Handlers } from "./implement-service.ts";

/** Which operation answers which method of the admin API. */
export function adminHandlers(context: Context): Handlers<typeof AdminService.method> {
  const seen = new SeenObservations(context);
  const events = new WatchEvents(context.journal);
  return {
    createService: async ({ service, options }, caller) =>
      written("service", await createObject(context, caller, { kind: "service", message: service, options })),
    getService: ({ name }) => getObject(context, "service", name),
    listServices: async (request) => {
      const { items: services, nextPageToken } = await listObjects(context, "service", request);
      return { services: [...services], nextPageToken };
    },
    updateService: async ({ service, ...guarded }, caller) =>
      written("service", await updateObject(context, caller, { kind: "service", message: service, ...guarded })),
    deleteService: (request, caller) => deleteObject(context, caller, "service", request),

    createListener: async ({ listener, options }, caller) =>
      written("listener", await createObject(context, caller, { kind: "listener", message: listener, options })),
    getListener: ({ name }) => getObject(context, "listener", name),
    listListeners: async (request) => {
      const { items: listeners, nextPageToken } = await listObjects(context, "listener", request);
      return { listeners: [...listeners], nextPageToken };
    },
    updateListener: async ({ listener, ...guarded }, caller) =>
      written("listener", await updateObject(context, caller, { kind: "listener", message: listener, ...guarded })),
    deleteListener: (request, caller) => deleteObject(context, caller, "listener", request),

    createRoute: async ({ route, options }, caller) =>
      written("route", await createObject(context, caller, { kind: "route", message: route, options })),
    getRoute: ({ name }) => getObject(context, "route", name),
    listRoutes: async (request) => {
      const { items: routes, nextPageToken } = await listObjects(context, "route", request);
      return { routes: [...routes], nextPageToken };
    },
    updateRoute: async ({ route, ...guarded }, caller) =>
      written("route", await updateObject(context, caller, { kind: "route", message: route, ...guarded })),
    deleteRoute: (request, caller) => deleteObject(context, caller, "route", request),

    createFleet: async ({ fleet, options }, caller) =>
      written("fleet", await createObject(context, caller, { kind: "fleet", message: fleet, options })),
    getFleet: ({ name }) => getObject(context, "fleet", name),
    listFleets: async (request) => {
      const { items: fleets, nextPageToken } = await listObjects(context, "fleet", request);
      return { fleets: [...fleets], nextPageToken };
    },
    updateFleet: async ({ fleet, ...guarded }, caller) =>
      written("fleet", await updateObject(context, caller, { kind: "fleet", message: fleet, ...guarded })),
    deleteFleet: (request, caller) => deleteObject(context, caller, "fleet", request),

    registerBackend: async (request, caller) => written("backend", await registerBackend(context, caller, request)),
    unregisterBackend: (request, caller) => unregisterBackend(context, caller, request),
    drainBackend: async (request, caller) => written("backend", await drainBackend(context, caller, request)),
    completeDrain: (request, caller) => completeDrain(context, caller, request),
    explainBackend: ({ name }) => explainBackend(context, name),
    explainRoute: ({ name }) => explainRoute(context, name),
    explainService: ({ name }) => explainService(context, name),
    explainNode: ({ name }) => explainNode(context, name),
    explainRequest: async (request) => explainRequest(context.mirror, request),
    getBackend: ({ name }) => getObject(context, "backend", name),
    listBackends: async (request) => {
      const { items: backends, nextPageToken } = await listObjects(context, "backend", request);
      return { backends: [...backends], nextPageToken };
    },

    reportHealth: (request, caller) => reportHealth({ ...context, seen }, caller, request),
    clearHealth: (request, caller) => clearHealth(context, caller, request),
    listHealth: async (request) => {
      const { items: health, nextPageToken } = await listObjects(context, "health", request);
      return { health: [...health], nextPageToken };
    },

    putPolicy: async (request, caller) => written("policy", await putPolicy(context, caller, request)),
    getPolicy: ({ name }) => getObject(context, "policy", name),
    listPolicies: async (request) => {
      const { items: policies, nextPageToken } = await listObjects(context, "policy", request);
      return { policies: [...policies], nextPageToken };
    },
    deletePolicy: (request, caller) => deleteObject(context, caller, "policy", request),

    deleteRecord: (request, caller) => deleteRecord(context, caller, request),

    apply: (request, caller) => apply(context, caller, request),

    backup: (_, caller) => backup(context, caller),
    restore: (requests, caller) => restore(context, caller, requests),
    import: (requests, caller) => importState(context, caller, requests),

    watch: (request, caller) => watch({ ...context, events }, caller, request),
    listHistory: async (request) => ({ entries: await listHistory(context, request) }),
    rollback: (request, caller) => rollback(context, caller, request),
    rollbackRevision: (request, caller) => rollbackRevision(context, caller, request),
    waitForRevision: (request, caller) => waitForRevision(context, caller, request),
    getStatus: () => getStatus(context),
    setEncodingProfile: (request, caller) => setEncodingProfile(context, caller, request),
    listNodes: (request) => listNodes(context, request),
    getNode: (request) => getNode(context, request),
    resend: (request) => resend(context, request),
  };
}

/** The answer of a method that writes one kind: the object under the kind's name. */
function written<K extends AppliedKind>(kind: K, { object, revision, change }: WrittenObject): Written<K> {
  return { [kind]: object?.object.value, revision, change } as Written<K>;
}

type Written<K extends AppliedKind> = { readonly [P in K]: MessageOf[K] } & Pick<WrittenObject, "revision" | "change">;
