import { headers, type NatsConnection } from "@nats-io/transport-node";
import { ControlPlaneError } from "../domain/errors.ts";
import { nextTurn } from "../runtime/next-turn.ts";
import { leaseBucket } from "./bucket.ts";
import { INBOX_PREFIX } from "./connect.ts";
import type { Link } from "./link.ts";
import { subjectsOf } from "./subjects.ts";

export interface Permission {
  readonly operation: "publish" | "subscribe";
  /** As written in the server's configuration. */
  readonly subject: string;
}

/** What a plane's NATS user must be allowed, apart from creating the two streams if they do not exist. */
export function neededPermissions(bucket: string): readonly Permission[] {
  const publish = (subject: string): Permission => ({ operation: "publish", subject });
  const streams = [subjectsOf(bucket), subjectsOf(leaseBucket(bucket))];
  return [
    publish("$JS.API.INFO"),
    ...streams.flatMap(({ all, stream }) => [
      publish(all),
      publish(`$JS.API.STREAM.INFO.${stream}`),
      publish(`$JS.API.STREAM.MSG.GET.${stream}`),
    ]),
    publish(`$JS.API.DIRECT.GET.KV_${bucket}`),
    publish(`$JS.API.CONSUMER.CREATE.KV_${bucket}`),
    publish(`$JS.API.CONSUMER.DELETE.KV_${bucket}.*`),
    publish(`$JS.FC.KV_${bucket}.>`),
    publish(`${peerRoot(bucket)}.>`),
    // For answers to the other replicas, in parts.
    publish(`${INBOX_PREFIX}.>`),
    { operation: "subscribe", subject: `${peerRoot(bucket)}.>` },
    { operation: "subscribe", subject: `${INBOX_PREFIX}.>` },
  ];
}

/** Where the replicas that share a bucket talk to each other. */
export function peerRoot(bucket: string): string {
  return `fairlead.${bucket}`;
}

/**
 * Tries each permission, since a missing one would show only later, sometimes only as silence. Changes nothing.
 *
 * @throws ControlPlaneError `precondition` / `NATS_PERMISSION_MISSING`, which names all missing permissions
 * (`details.subject` is the first).
 */
export async function checkPermissions(
  connection: NatsConnection,
  link: Link,
  needed: readonly Permission[],
): Promise<void> {
  const probes = needed.map((permission) => ({ ...permission, probe: probeOf(permission.subject) }));
  for (const { operation, probe } of probes) {
    if (operation === "subscribe") connection.subscribe(probe, { callback: () => undefined }).unsubscribe();
    else connection.publish(probe, undefined, { headers: harmless() });
  }
  await connection.flush();
  // After this, the link has everything that the server said before it answered.
  await new Promise<void>((resolve) => nextTurn(resolve));
  const missing = probes.filter(({ operation, probe }) => link.refused.has(`${operation} ${probe}`));
  const [first] = missing;
  if (first === undefined) return;
  const list = missing.map(({ operation, subject }) => `${operation} "${subject}"`).join(", ");
  throw new ControlPlaneError({
    kind: "precondition",
    code: "NATS_PERMISSION_MISSING",
    message: `the NATS user of this plane may not ${list}; grant these permissions`,
    details: { operation: first.operation, subject: first.subject },
  });
}

/** A subject that the permission covers and nobody uses. */
function probeOf(subject: string): string {
  return subject.replace(/[>*]$/, "probe");
}

/** A header that makes a bucket refuse the write; elsewhere it is ignored. */
function harmless() {
  const header = headers();
  header.set("Nats-Expected-Last-Subject-Sequence", String(Number.MAX_SAFE_INTEGER));
  return header;
}
