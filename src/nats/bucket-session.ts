import type { JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "../runtime/clock.ts";
import type { Containment } from "../runtime/containment.ts";
import type { Logger } from "../runtime/logger.ts";
import type { Random } from "../runtime/random.ts";
import type { Link } from "./link.ts";

/** A replica's session with a bucket: what every part of the store works with. */
export interface BucketSession {
  readonly connection: NatsConnection;
  readonly link: Pick<Link, "isUp">;
  readonly manager: JetStreamManager;
  readonly bucket: string;
  /** This replica's name. */
  readonly replica: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly containment: Containment;
}
