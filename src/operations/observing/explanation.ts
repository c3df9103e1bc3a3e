import type { proxiesAt } from "./proxies-at.ts";

/** The most facts of one answer; a route or a fleet may have thousands of parts. */
const MAX_FACTS = 200;

/** One fact of an explanation: what it is about, and what is so. */
export type Fact = readonly [about: string, text: string];

export function explanation(summary: string, facts: Iterable<Fact>) {
  const all = Array.from(facts, ([about, text]) => ({ about, text }));
  const more = { about: "", text: `and ${all.length - MAX_FACTS} more` };
  return { summary, facts: all.length > MAX_FACTS ? [...all.slice(0, MAX_FACTS), more] : all };
}

export type Explanation = ReturnType<typeof explanation>;

/** `12 of 13 acknowledged revision 1.8812`, and which have not. */
export function* acknowledgements(
  { proxies, acknowledged, pending, unknown }: Awaited<ReturnType<typeof proxiesAt>>,
  revision: string,
): Iterable<Fact> {
  yield [
    "proxies",
    proxies === 0 ? "no connected proxy has it" : `${acknowledged} of ${proxies} acknowledged revision ${revision}`,
  ];
  for (const { id, state, message } of pending) yield ["", `${id} ${state}: ${message}`];
  for (const { replica } of unknown) yield ["", `replica ${replica} is silent: its proxies are not counted`];
}
