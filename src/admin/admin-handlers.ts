import type { AdminService } from "../gen/fairlead/admin/v1/admin_pb.ts";
import { apply } from "../operations/apply.ts";
import { backup } from "../operations/backup.ts";
import { clearHealth } from "../operations/clear-health.ts";
import { completeDrain } from "../operations/complete-drain.ts";
import type { Context } from "../operations/context.ts";
import { deleteRecord } from "../operations/delete-record.ts";
import { drainBackend } from "../operations/drain-backend.ts";
import { explainBackend } from "../operations/explain-backend.ts";
import { explainNode } from "../operations/explain-node.ts";
import { explainRequest } from "../operations/explain-request.ts";
import { explainRoute } from "../operations/explain-route.ts";
import { explainService } from "../operations/explain-service.ts";
import { getNode } from "../operations/get-node.ts";
import { getStatus } from "../operations/get-status.ts";
import { importState } from "../operations/import-state.ts";
import { listHistory } from "../operations/list-history.ts";
import { listNodes } from "../operations/list-nodes.ts";
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
import { waitForRevision } from "../operations/wait-for-revision.ts";
import { watch } from "../operations/watch.ts";
import { WatchEvents } from "../operations/watch-events.ts";
import type { Handlers } from "./implement-service.ts";
import { kindHandlers, written } from "./kind-handlers.ts";

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
    explainBackend: ({ name }) => explainBackend(context, name),
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
    waitForRevision: (request, caller) => waitForRevision(context, caller, request),
    getStatus: () => getStatus(context),
    setEncodingProfile: (request, caller) => setEncodingProfile(context, caller, request),
    listNodes: (request) => listNodes(context, request),
    getNode: (request) => getNode(context, request),
    resend: (request) => resend(context, request),
  };
}
