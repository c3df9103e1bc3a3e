import { checkAddresses } from "../../domain/address-in-use.ts";
import { ListenerSchema } from "../../gen/fairlead/admin/v1/listener_pb.ts";
import { parseListener } from "../parse-listener.ts";
import { kindEntry } from "./kind-entry.ts";

export const LISTENER = kindEntry({
  kind: "listener",
  plural: "listeners",
  message: ListenerSchema,
  outputOnly: ["meta", "conditions"],
  parse: parseListener,
  isApplied: true,
  hasHistory: true,
  gives: "listener",
  isOnTheWay: true,
  lastOf: "fleet",
  check: checkAddresses,
});
