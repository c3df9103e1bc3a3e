import type { StoreStatus } from "../store/store.ts";
import type { Finding } from "./finding.ts";

/** What is wrong with the store, for people on call. */
export function storeFindings({ frozen, away, fault }: StoreStatus): Finding[] {
  const found: Finding[] = [];
  if (frozen !== undefined) found.push({ what: "store went back", since: undefined, why: frozen });
  if (away !== undefined) {
    const why = `${away.why}; proxies are served the last state, nothing can be written`;
    found.push({ what: "store cannot be reached", since: away.since, why });
  }
  if (fault !== undefined) found.push({ what: "store is not as it must be", since: fault.since, why: fault.why });
  return found;
}
