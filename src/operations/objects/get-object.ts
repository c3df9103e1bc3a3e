import type { Kind } from "../../domain/name.ts";
import type { MessageOf } from "../../schema/kinds/registry.ts";
import type { Context } from "../context.ts";
import { notFound, readName } from "../object-errors.ts";
import { presenter } from "./present-object.ts";

/** An object with what is derived about it. @throws ControlPlaneError `notFound`. */
export async function getObject<K extends Kind>(context: Context, kind: K, text: string): Promise<MessageOf[K]> {
  const name = readName(kind, text);
  const message = (await presenter(context))(kind, name);
  if (message === undefined) throw notFound(kind, name);
  return message;
}
