import type { DescEnum, DescMessage, DescMethod, DescMethodUnary, JsonObject, Message } from "@bufbuild/protobuf";
import { toJson } from "@bufbuild/protobuf";
import { pluralOf, titleOf } from "../domain/name.ts";
import {
  AdminService,
  type DeleteRequestSchema,
  type GetRequestSchema,
  type ListRequestSchema,
} from "../gen/fairlead/admin/v1/admin_pb.ts";
import {
  type ExplainObjectRequestSchema,
  type Explanation,
  ExplanationSchema,
} from "../gen/fairlead/admin/v1/explain_pb.ts";
import type { WriteResponseSchema } from "../gen/fairlead/admin/v1/write_pb.ts";
import type { MessageOf } from "../schema/kinds/registry.ts";
import { descriptorOf } from "../schema/object-message.ts";
import type { AdminClient } from "./admin-client.ts";
import { messageJson } from "./data-text.ts";
import type { Piece } from "./line.ts";
import type { Zone } from "./moment.ts";

export type Kind = keyof MessageOf;

/** What only the command line knows about a kind. */
export interface KindDisplay<K extends Kind> {
  /** A short form for people who type it often: `svc`. */
  readonly short?: string;
  readonly columns: readonly string[];
  /** The columns that a narrow terminal can do without, in the order in which they are dropped. */
  readonly spare?: readonly string[];
  cells(object: MessageOf[K], zone: Zone): readonly Piece[];
  /** How many cells make up the name; one by default. */
  readonly nameCells?: number;
  /** Present where the API has a method of its own for it. Returns the revision of the deletion. */
  remove?(admin: AdminClient, name: string, removal: Removal): Promise<string>;
}

/** An object as a command shows it. */
export interface Shown {
  /** The API's JSON form, whole. */
  readonly json: JsonObject;
  /** The same without fields that hold their default and without empty lists, for people to edit. */
  readonly brief: () => JsonObject;
  /** Its row of a table. */
  readonly cells: readonly Piece[];
}

export interface ListFilter {
  readonly service: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** How an object is deleted. */
export interface Removal {
  readonly force: boolean;
  readonly options: { readonly validateOnly: boolean; readonly reason: string };
}

/** What the commands know about one kind of object. */
export interface KindEntry extends Omit<KindDisplay<Kind>, "cells"> {
  /** As the API writes it: `service`. */
  readonly kind: Kind;
  /** As manifests write it: `Service`. */
  readonly title: string;
  readonly plural: string;
  list(admin: AdminClient, filter: ListFilter, zone?: Zone): Promise<readonly Shown[]>;
  /** The message must be one of this kind. */
  show(object: Message, zone?: Zone): Shown;
  /** Absent for verdicts, which can only be listed. */
  get?(admin: AdminClient, name: string, zone?: Zone): Promise<Shown>;
  /** Absent for verdicts, and for backends, whose explanation has a form of its own. */
  explain?(this: void, admin: AdminClient, name: string): Promise<Explanation>;
}

const PAGE_SIZE = 1000;

/** Finds a kind's API methods by their names, and hides its message type behind what the commands need. */
export function kindEntry<K extends Kind>(kind: K, display: KindDisplay<K>): KindEntry {
  const plural = pluralOf(kind);
  const desc = descriptorOf(kind);
  const title = titleOf(kind);
  const show = (object: Message, zone: Zone = {}): Shown => ({
    json: messageJson(desc, object) as JsonObject,
    brief: () => toJson(desc, object) as JsonObject,
    cells: display.cells(object as MessageOf[K], zone),
  });
  const list = methodNamed<typeof ListRequestSchema>(`list${plural.charAt(0).toUpperCase()}${plural.slice(1)}`);
  const get = methodNamed<typeof GetRequestSchema>(`get${title}`);
  const explain = methodNamed<typeof ExplainObjectRequestSchema, typeof ExplanationSchema>(`explain${title}`);
  const deletion = methodNamed<typeof DeleteRequestSchema, typeof WriteResponseSchema>(`delete${title}`);
  return {
    kind,
    title,
    plural,
    show,
    async list(admin, filter, zone) {
      const shown: Shown[] = [];
      let pageToken = "";
      do {
        if (list === undefined) break;
        const page = await admin.call(list, { ...filter, pageSize: PAGE_SIZE, pageToken });
        const { [plural]: items = [], nextPageToken } = page as unknown as Page;
        shown.push(...items.map((item) => show(item, zone)));
        pageToken = nextPageToken;
      } while (pageToken !== "");
      return shown;
    },
    ...(get && { get: async (admin, name, zone) => show(await admin.call(get, { name }), zone) }),
    ...(explain?.output.typeName === ExplanationSchema.typeName && {
      explain: (admin, name) => admin.call(explain, { name }),
    }),
    ...(deletion && {
      remove: async (admin, name, removal) => (await admin.call(deletion, { name, ...removal })).revision,
    }),
    ...display,
  };
}

type Page = { readonly nextPageToken: string } & { readonly [plural: string]: readonly Message[] };

function methodNamed<I extends DescMessage, O extends DescMessage = DescMessage>(
  name: string,
): DescMethodUnary<I, O> | undefined {
  return (AdminService.method as Readonly<Record<string, DescMethod>>)[name] as DescMethodUnary<I, O> | undefined;
}

export function enumText(desc: DescEnum, value: number, unspecified: string): string {
  return value === 0 ? unspecified : (desc.value[value]?.name ?? String(value));
}

export function orDash(text: string): string {
  return text === "" ? "-" : text;
}
