import type { Mirror } from "../control/mirror.ts";
import { Withheld } from "../control/withheld.ts";
import { printableStart } from "../domain/printable.ts";
import { describeSetAside } from "../operations/set-aside-findings.ts";
import type { Logger } from "../runtime/logger.ts";
import type { XdsServerOptions } from "../xds/server/library.ts";

/** Records that are logged one by one after one commit; of more, the number. */
const LOGGED_AT_ONCE = 20;
const MAX_KEY_LENGTH = 200;

export interface SetAsideWatch {
  readonly hold: NonNullable<XdsServerOptions["hold"]>;
  /** Why a plane that started with them has not become ready; nothing once it was. */
  readonly notReady: () => string | undefined;
}

/**
 * What follows from records that cannot be read: they are logged once, what comes from them is kept back from proxies, and a
 * plane that finds them at its start does not become ready. One that is ready stays so: one bad record must not take all
 * replicas out of use at once.
 *
 * @param onChange Called when what was kept back may be free.
 */
export function watchSetAside({
  mirror,
  log,
  onChange,
}: {
  readonly mirror: Mirror;
  readonly log: Logger;
  readonly onChange: () => void;
}): SetAsideWatch {
  const withheld = new Withheld(mirror);
  let logged: Mirror["setAside"] = new Map();
  const blocking = () => [...mirror.setAside.values()].filter(({ withheld }) => withheld !== "nothing");
  let wasReady = blocking().length === 0;
  const logNew = () => {
    const news = [...mirror.setAside.values()].filter((record) => logged.get(record.key) !== record);
    logged = new Map(mirror.setAside);
    for (const record of news.slice(0, LOGGED_AT_ONCE)) {
      const why = describeSetAside(record);
      log.error({ key: printableStart(record.key, MAX_KEY_LENGTH), why }, "a stored record is set aside");
    }
    if (news.length > LOGGED_AT_ONCE) log.error({ count: news.length }, "stored records are set aside");
  };
  logNew();
  mirror.onFold(({ setAside }) => {
    if (!setAside) return;
    wasReady ||= blocking().length === 0;
    logNew();
    onChange();
  });
  return {
    hold: (client, resource, version) => withheld.hold(client, resource, version),
    notReady: () => {
      const [first, ...others] = wasReady ? [] : blocking();
      if (first === undefined) return undefined;
      const more = others.length > 0 ? ` (and ${others.length} more)` : "";
      return `stored record ${printableStart(first.key, MAX_KEY_LENGTH)}${more}: ${describeSetAside(first)}`;
    },
  };
}
