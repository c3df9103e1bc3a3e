import type { Target } from "../domain/backend.ts";
import type { Probe } from "../domain/health-check.ts";
import type { Clock } from "../runtime/clock.ts";
import { type Attempt, attempt } from "./attempt.ts";
import { probeGrpc } from "./grpc-prober.ts";
import { probeHttp } from "./http-prober.ts";
import type { Prober } from "./prober.ts";
import { probeTcp } from "./tcp-prober.ts";

/** Checks over real sockets, each check over a connection of its own: a listener that is gone is noticed at once. */
export function createSocketProber(clock: Clock): Prober {
  return {
    probe: (target, check, signal) =>
      attempt({ clock, timeoutMs: check.timeoutMs, signal }, (under) => begin(target, check.probe, under)),
  };
}

function begin(target: Target, probe: Probe, under: Attempt) {
  switch (probe.kind) {
    case "http":
      return probeHttp(target, probe, under);
    case "tcp":
      return probeTcp(target, probe, under);
    case "grpc":
      return probeGrpc(target, probe, under);
  }
}
