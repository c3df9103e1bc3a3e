import type { EventEmitter } from "node:events";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/logger.ts";
import type { Report, Send } from "../protocol/events.ts";
import type { ClientRef } from "./client-status.ts";

export type XdsServerEvents = {
  open: [client: ClientRef];
  /** `owed` is the oldest publication that the client has not acknowledged, including what it refuses. */
  close: [client: ClientRef, owed: number | undefined];
  subscribe: [client: ClientRef, subscription: Extract<Report, { kind: "subscribe" }>];
  sent: [
    client: ClientRef,
    sent: { typeUrl: string; nonce: string; resources: number; removed: number; bytes: number },
  ];
  /** `tookMs` is the time since the response was sent. */
  ack: [client: ClientRef, ack: { typeUrl: string; nonce: string; names: readonly string[]; tookMs: number }];
  nack: [
    client: ClientRef,
    nack: { typeUrl: string; nonce: string; names: readonly string[]; code: number; message: string },
  ];
  /** A resource went out although what it waited for had not been acknowledged in time. */
  late: [client: ClientRef, late: Extract<Report, { kind: "late" }>];
  /** What is settled on a stream may have changed: compare `oldestPending`. */
  progress: [client: ClientRef, oldestPending: number | undefined];
};

/** Where what happens on a stream is told. */
type Observers = { readonly events: EventEmitter<XdsServerEvents>; readonly log: Logger; readonly clock: Clock };

export function tellSent({ events, log }: Observers, client: ClientRef, send: Send, bytes: number): void {
  const { typeUrl, nonce, resources, removed } = send;
  log.trace({ streamId: client.streamId, typeUrl, nonce, bytes }, "response sent");
  events.emit("sent", client, { typeUrl, nonce, bytes, resources: resources.length, removed: removed.length });
}

export function tellReport({ events, log, clock }: Observers, client: ClientRef, report: Report): void {
  if (report.kind === "ack") {
    const { nonce, items, sentAt } = report.flight;
    const tookMs = clock.monotonic() - sentAt;
    events.emit("ack", client, { typeUrl: report.typeUrl, nonce, names: [...items.keys()], tookMs });
  } else if (report.kind === "nack") {
    const { typeUrl, refusal } = report;
    const { nonce, code, message, items } = refusal;
    const names = [...items.keys()];
    log.warn({ ...logged(client), typeUrl, names: names.slice(0, 20), message }, "response refused");
    events.emit("nack", client, { typeUrl, nonce, names, code, message });
  } else if (report.kind === "late") {
    const { resource, on, waitedMs } = report;
    log.warn(
      { ...logged(client), resource, on, waitedMs },
      "resource sent although what it waits for is not acknowledged",
    );
    events.emit("late", client, report);
  } else if (report.kind === "subscribe") events.emit("subscribe", client, report);
}

/** A stream as the log names it. */
export function logged({ streamId, node }: ClientRef) {
  return { streamId, nodeId: node.id };
}
