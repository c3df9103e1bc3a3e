import { type Target, targetText } from "../domain/backend.ts";
import type { Probe } from "../domain/health-check.ts";
import type { OutboundDoor } from "../outbound/door.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Containment } from "../runtime/containment.ts";
import { type Attempt, attempt } from "./attempt.ts";
import { connectionTo } from "./connect.ts";
import { probeGrpc } from "./grpc-prober.ts";
import { probeHttp } from "./http-prober.ts";
import type { Prober } from "./prober.ts";
import { probeTcp } from "./tcp-prober.ts";

export interface SocketProberOptions {
  readonly clock: Clock;
  readonly door: Pick<OutboundDoor, "connect">;
  readonly containment: Pick<Containment, "note">;
}

/** Checks over real sockets, each check over a connection of its own: a listener that is gone is noticed at once. */
export function createSocketProber({ clock, door, containment }: SocketProberOptions): Prober {
  return {
    probe: (target, check, signal) => {
      const { probe, timeoutMs } = check;
      const onBroken = (thrown: unknown) =>
        containment.note("probe", `${probe.kind} check of ${targetText(target)}`, thrown);
      const options = { clock, timeoutMs, signal, open: connectionTo(target, door), onBroken };
      return attempt(options, (under) => begin(target, probe, under));
    },
  };
}

function begin(target: Target, probe: Probe, under: Attempt): void {
  if (probe.kind === "http") probeHttp(target, probe, under);
  else if (probe.kind === "tcp") probeTcp(probe, under);
  else probeGrpc(target, probe, under);
}
