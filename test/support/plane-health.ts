/** What a plane says of itself. */
import type { Plane } from "./plane.ts";

export interface PlaneProblem {
  readonly what: string;
  readonly why: string;
}

/** What `fairlead status` lists. */
export async function problemsOf(plane: Plane): Promise<readonly PlaneProblem[]> {
  const { problems } = JSON.parse(await plane.mustCli("status", "-o", "json")) as {
    problems?: readonly PlaneProblem[];
  };
  return problems ?? [];
}

export async function readinessOf(plane: Plane): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(`http://${plane.addresses.http}/readyz`);
  return { status: answer.status, text: await answer.text() };
}

/** A metric without labels; NaN when there is none of this name. */
export async function metricOf(plane: Plane, name: string): Promise<number> {
  const text = await (await fetch(`http://${plane.addresses.http}/metrics`)).text();
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? Number.NaN);
}
