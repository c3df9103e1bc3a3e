import type { AdminService } from "../gen/fairlead/admin/v1/admin_pb.ts";
import { backup } from "../operations/archive/backup.ts";
import { importState } from "../operations/archive/import-state.ts";
import { restore } from "../operations/archive/restore.ts";
import type { Context } from "../operations/context.ts";
import { clearHealth } from "../operations/membership/clear-health.ts";
import { completeDrain } from "../operations/membership/complete-drain.ts";
import { drainBackend } from "../operations/membership/drain-backend.ts";
import { registerBackend } from "../operations/membership/register-backend.ts";
import { reportHealth } from "../operations/membership/report-health.ts";
import { SeenObservations } from "../operations/membership/seen-observations.ts";
import { unregisterBackend } from "../operations/membership/unregister-backend.ts";
import { apply } from "../operations/objects/apply.ts";
import { deleteRecord } from "../operations/objects/delete-record.ts";
import { forgetNode } from "../operations/objects/forget-node.ts";
import { listHistory } from "../operations/objects/list-history.ts";
import { putPolicy } from "../operations/objects/put-policy.ts";
import { rollback } from "../operations/objects/rollback.ts";
import { rollbackRevision } from "../operations/objects/rollback-revision.ts";
import { setEncodingProfile } from "../operations/objects/set-encoding-profile.ts";
import { explainBackend } from "../operations/observing/explain-backend.ts";
import { explainNode } from "../operations/observing/explain-node.ts";
import { explainRequest } from "../operations/observing/explain-request.ts";
import { explainRoute } from "../operations/observing/explain-route.ts";
import { explainService } from "../operations/observing/explain-service.ts";
import { getNode } from "../operations/observing/get-node.ts";
import { getStatus } from "../operations/observing/get-status.ts";
import { resend } from "../operations/observing/resend.ts";
import { readResourceType } from "../operations/observing/resource-type.ts";
import { waitForRevision } from "../operations/observing/wait-for-revision.ts";
import { watch } from "../operations/observing/watch.ts";
import { WatchEvents } from "../operations/observing/watch-events.ts";
import { explainedBackendMessage } from "./backend-message.ts";
import type { Handlers } from "./handlers.ts";
import { kindHandlers, written } from "./kind-handlers.ts";
import { listNodes } from "./list-nodes.ts";
import { nodeMessage, unknownMessage } from "./node-message.ts";
import { statusMessage } from "./status-message.ts";
import { waitMessages, waitOrder } from "./wait-message.ts";

/** Which operation answers which method of the admin API. */
export function adminHandlers(context: Context): Handlers<typeof AdminService.method> {
  const seen = new SeenObservations(context);
  const events = new WatchEvents(context.journal);
  return {
    ...kindHandlers(context),

    registerBackend: async (request, caller) => written("backend", await registerBackend(context, caller, request)),
    unregisterBackend: (request, caller) => unregisterBackend(context, caller, request),
    drainBackend: async (request, caller) => written("backend", await drainBackend(context, caller, request)),
    completeDrain: (request, caller) => completeDrain(context, caller, request),
    explainBackend: async ({ name }) => explainedBackendMessage(await explainBackend(context, name)),
    explainRoute: ({ name }) => explainRoute(context, name),
    explainService: ({ name }) => explainService(context, name),
    explainNode: ({ name }) => explainNode(context, name),
    explainRequest: async (request) => explainRequest(context.mirror, request),

    reportHealth: (request, caller) => reportHealth({ ...context, seen }, caller, request),
    clearHealth: (request, caller) => clearHealth(context, caller, request),

    putPolicy: async (request, caller) => written("policy", await putPolicy(context, caller, request)),

    deleteRecord: (request, caller) => deleteRecord(context, caller, request),

    apply: (request, caller) => apply(context, caller, request),

    backup: (_, caller) => backup(context, caller),
    restore: (requests, caller) => restore(context, caller, requests),
    import: (requests, caller) => importState(context, caller, requests),

    watch: (request, caller) => watch({ ...context, events }, caller, request),
    listHistory: async (request) => ({ entries: await listHistory(context, request) }),
    rollback: (request, caller) => rollback(context, caller, request),
    rollbackRevision: (request, caller) => rollbackRevision(context, caller, request),
    waitForRevision: (request, caller) => waitMessages(waitForRevision(context, caller, waitOrder(request))),
    getStatus: async () => statusMessage(await getStatus(context)),
    setEncodingProfile: (request, caller) => setEncodingProfile(context, caller, request),
    listNodes: (request) => listNodes(context, request),
    getNode: async ({ id, type, contents }) => {
      const detail = contents ? "contents" : "resources";
      return nodeMessage(await getNode(context, { id, detail, typeUrl: readResourceType(type) }));
    },
    forgetNode: (request, caller) => forgetNode(context, caller, request),
    resend: async ({ id, type }) => {
      const { resources, unknown } = await resend(context, id, readResourceType(type));
      return { resources, unknownReplicas: unknown.map(unknownMessage) };
    },
  };
}
