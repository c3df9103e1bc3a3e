import type { Mirror } from "../control/mirror.ts";
import { Withheld } from "../control/withheld.ts";
import { printableStart } from "../domain/printable.ts";
import { describeSetAside } from "../operations/observing/set-aside-findings.ts";
import type { Logger } from "../runtime/logger.ts";

/** How many records are logged one by one after a commit; beyond that, the total is logged as well. */
const LOGGED_AT_ONCE = 20;
const MAX_KEY_LENGTH = 200;

/**
 * Handles records that cannot be read: they are logged once, what comes from them is held back from proxies, and a plane that
 * finds them at its start does not become ready. A plane that is ready stays so: one bad record must not take all replicas
 * out of use at once.
 *
 * @param onChange Called when something that was held back may have become free.
 */
export function watchSetAside({ mirror, log, onChange }: { mirror: Mirror; log: Logger; onChange: () => void }) {
  const withheld = new Withheld(mirror, onChange);
  let wasReady = withheld.records.size === 0;
  const tell = (keys: readonly string[]) => {
    const records = keys.flatMap((key) => mirror.setAside.get(key) ?? []);
    for (const record of records.slice(0, LOGGED_AT_ONCE)) {
      const why = describeSetAside(record);
      log.error(
        { key: printableStart(record.key, MAX_KEY_LENGTH), why },
        "a stored record cannot be read and is set aside",
      );
    }
    if (records.length > LOGGED_AT_ONCE)
      log.error({ count: records.length }, "stored records cannot be read and are set aside");
  };
  tell([...mirror.setAside.keys()]);
  mirror.onFold(({ setAside }) => {
    if (setAside.length === 0) return;
    wasReady ||= withheld.records.size === 0;
    tell(setAside);
  });
  return {
    hold: withheld.hold.bind(withheld),
    /** Why a plane that started with them has not become ready; undefined once it was. */
    notReady: (): string | undefined => {
      const [first] = withheld.records.values();
      if (wasReady || first === undefined) return undefined;
      const others = withheld.records.size - 1;
      const more = others > 0 ? ` (and ${others} more)` : "";
      return `stored record ${printableStart(first.key, MAX_KEY_LENGTH)}${more}: ${describeSetAside(first)}`;
    },
  };
}
