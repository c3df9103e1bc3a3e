import { type Target, targetText } from "../domain/backend.ts";
import type { HealthCheck } from "../domain/health-check.ts";
import type { Observation } from "../domain/health-verdict.ts";
import type { OutboundDoor } from "../outbound/door.ts";
import type { Containment } from "../runtime/containment.ts";
import type { Machine } from "../runtime/machine.ts";
import { attempt } from "./attempt.ts";
import { connectionTo } from "./connect.ts";
import { probeGrpc } from "./grpc-prober.ts";
import { probeHttp } from "./http-prober.ts";
import { probeTcp } from "./tcp-prober.ts";

type ProberParts = Pick<Machine, "clock"> & {
  door: Pick<OutboundDoor, "connect">;
  containment: Pick<Containment, "note">;
};

/** Carries out checks. */
export type Prober = ReturnType<typeof createSocketProber>;

/** Checks over real sockets, each check over a connection of its own: a listener that is gone is noticed at once. */
export function createSocketProber({ clock, door, containment }: ProberParts) {
  return {
    /**
     * Checks a target once, within `check.timeoutMs`. Undefined when this machine could not even try, for want of files,
     * ports or permission: that says nothing about the target.
     *
     * Rejects only with the signal's reason.
     */
    probe: (target: Target, check: HealthCheck, signal: AbortSignal): Promise<Observation | undefined> => {
      const { probe, timeoutMs } = check;
      const onBroken = (thrown: unknown) =>
        containment.note("probe", `${probe.kind} check of ${targetText(target)}`, thrown);
      const options = { clock, timeoutMs, signal, open: connectionTo(target, door), onBroken };
      return attempt(options, (under) => {
        if (probe.kind === "http") probeHttp(target, probe, under);
        else if (probe.kind === "tcp") probeTcp(probe, under);
        else probeGrpc(target, probe, under);
      });
    },
  };
}
