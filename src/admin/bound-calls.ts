import { ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import { type ControlPlaneError, toControlPlaneError } from "../domain/errors.ts";
import type { Containment } from "../runtime/containment.ts";
import type { Connections, OpenCall } from "./connections.ts";
import type { CallKind } from "./limits.ts";
import { toServiceError } from "./status.ts";

const KINDS: Readonly<Record<string, CallKind>> = { Import: "upload", Restore: "upload", Backup: "backup" };

/** Counts each call from its first header to the end of its stream, and refuses what exceeds a limit before it is read. */
export function boundCalls(connections: Connections, containment: Containment): ServerInterceptor {
  return (method, call) => {
    const refuse = (error: ControlPlaneError) =>
      containment.contain("admin", method.path, () => call.sendStatus(toServiceError(error)));
    let open: OpenCall | undefined;
    const guarded = (step: () => void): boolean => {
      try {
        step();
        return true;
      } catch (thrown) {
        refuse(toControlPlaneError(thrown));
        return false;
      }
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            const begin = () => {
              open = connections.begin(call.getConnectionInfo(), kindOf(method), refuse);
            };
            if (guarded(begin)) pass(metadata);
          },
          onReceiveMessage: (message: Buffer, pass) => {
            if (guarded(() => open?.arrived(message.byteLength))) pass(message);
          },
          onReceiveHalfClose: (pass) => {
            open?.arrived(0);
            pass();
          },
          onCancel: () => open?.close(),
        }),
    });
  };
}

function kindOf({ path, requestStream, responseStream }: Parameters<ServerInterceptor>[0]): CallKind {
  const named = KINDS[path.slice(path.lastIndexOf("/") + 1)];
  return named ?? (requestStream || responseStream ? "stream" : "call");
}
