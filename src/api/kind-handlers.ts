import type { FieldMask } from "@bufbuild/protobuf/wkt";
import { KINDS, type Kind, type Plural, pluralOf, titleOf } from "../domain/name.ts";
import {
  AdminService,
  type DeleteRequest,
  type GetRequest,
  type ListRequest,
} from "../gen/fairlead/admin/v1/admin_pb.ts";
import type { ExplainObjectRequest } from "../gen/fairlead/admin/v1/explain_pb.ts";
import type { WriteOptions } from "../gen/fairlead/admin/v1/write_pb.ts";
import type { Caller, Context } from "../operations/context.ts";
import { createObject } from "../operations/objects/create-object.ts";
import { deleteObject } from "../operations/objects/delete-object.ts";
import { getObject } from "../operations/objects/get-object.ts";
import { listObjects } from "../operations/objects/list-objects.ts";
import { updateObject } from "../operations/objects/update-object.ts";
import { explainObject } from "../operations/observing/explain-object.ts";
import type { WrittenObject } from "../operations/writing/write-object.ts";
import { type AppliedKind, isApplied, type MessageOf } from "../schema/kinds/registry.ts";
import type { Handlers } from "./handlers.ts";

type Methods = typeof AdminService.method;
type MethodOf<K extends Kind> =
  | `${"create" | "update" | "delete" | "get" | "explain"}${Capitalize<K>}`
  | `list${Capitalize<Plural<K>>}`;
/** The methods of the API that do the same for each kind. */
type KindMethod = Extract<keyof Methods, { [K in Kind]: MethodOf<K> }[Kind]>;

/** Answers those methods of each kind that the API has: their names say what they do. */
export function kindHandlers(context: Context): Pick<Handlers<Methods>, KindMethod> {
  const all = KINDS.flatMap((kind) => [...readers(context, kind), ...(isApplied(kind) ? writers(context, kind) : [])]);
  return Object.fromEntries(all.filter(([name]) => name in AdminService.method)) as Pick<Handlers<Methods>, KindMethod>;
}

function readers(context: Context, kind: Kind): [name: string, handler: unknown][] {
  const plural = pluralOf(kind);
  const get = ({ name }: GetRequest) => getObject(context, kind, name);
  const list = async (request: ListRequest) => {
    const { items, nextPageToken } = await listObjects(context, kind, request);
    return { [plural]: [...items], nextPageToken };
  };
  return [
    [`get${titleOf(kind)}`, get],
    [`explain${titleOf(kind)}`, ({ name }: ExplainObjectRequest) => explainObject(context, kind, name)],
    [`list${plural.charAt(0).toUpperCase()}${plural.slice(1)}`, list],
  ];
}

type Create<K extends AppliedKind> = { readonly [P in K]?: MessageOf[K] } & { readonly options?: WriteOptions };
type Update<K extends AppliedKind> = Create<K> & { readonly updateMask?: FieldMask; readonly expectedVersion: string };

function writers<K extends AppliedKind>(
  context: Context,
  kind: K,
): [name: `${"create" | "update" | "delete"}${Capitalize<K>}`, handler: unknown][] {
  const create = async ({ [kind]: message, options }: Create<K>, caller: Caller) =>
    written(kind, await createObject(context, caller, { kind, message, options }));
  const update = async (request: Update<K>, caller: Caller) => {
    const { [kind]: message, updateMask, expectedVersion, options } = request;
    return written(kind, await updateObject(context, caller, { kind, message, updateMask, expectedVersion, options }));
  };
  const remove = (request: DeleteRequest, caller: Caller) => deleteObject(context, caller, kind, request);
  const title = titleOf(kind);
  return [
    [`create${title}`, create],
    [`update${title}`, update],
    [`delete${title}`, remove],
  ];
}

/** The answer of a method that writes one kind: the object under the kind's name. */
export function written<K extends AppliedKind>(kind: K, { object, revision, change }: WrittenObject): Written<K> {
  return { [kind]: object?.object.value, revision, change } as Written<K>;
}

type Written<K extends AppliedKind> = { readonly [P in K]: MessageOf[K] } & Pick<WrittenObject, "revision" | "change">;
