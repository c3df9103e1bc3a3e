import type { DescEnum, DescMessage, DescMethodUnary, JsonObject, Message, MessageShape } from "@bufbuild/protobuf";
import { toJson } from "@bufbuild/protobuf";
import type { GetRequestSchema } from "../gen/fairlead/admin/v1/admin_pb.ts";
import type { Condition } from "../gen/fairlead/admin/v1/meta_pb.ts";
import type { MessageOf } from "../schema/object-message.ts";
import type { AdminClient } from "./admin-client.ts";
import { messageJson } from "./data-text.ts";
import type { Piece } from "./line.ts";
import type { Zone } from "./moment.ts";

export type Kind = keyof MessageOf;

/** An object as a command shows it. */
export interface Shown {
  /** The API's JSON form, whole. */
  readonly json: JsonObject;
  /** The same without fields that hold their default and without empty lists, for people to edit. */
  readonly brief: () => JsonObject;
  /** Of a table. */
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
export interface KindEntry {
  /** As the API writes it: `service`. */
  readonly kind: Kind;
  /** As manifests write it: `Service`. */
  readonly title: string;
  readonly plural: string;
  /** As people write it who write it often: `svc`. */
  readonly short?: string;
  readonly columns: readonly string[];
  /** Those of the columns that a narrow terminal can spare, the first one first. */
  readonly spare?: readonly string[];
  list(admin: AdminClient, filter: ListFilter, zone?: Zone): Promise<readonly Shown[]>;
  /** The message must be one of this kind. */
  show(object: Message, zone?: Zone): Shown;
  /** Absent for verdicts: they are only listed. */
  get?(admin: AdminClient, name: string, zone?: Zone): Promise<Shown>;
  /** Returns the revision of the deletion. */
  remove?(admin: AdminClient, name: string, removal: Removal): Promise<string>;
}

/** How one kind is read through the generated client, and how it looks in a table. */
interface KindSpec<Object extends DescMessage>
  extends Pick<KindEntry, "kind" | "title" | "plural" | "short" | "columns" | "spare" | "remove"> {
  readonly schema: Object;
  cells(object: MessageShape<Object>, zone: Zone): readonly Piece[];
  page(admin: AdminClient, request: PageRequest): Promise<Page<MessageShape<Object>>>;
  readonly get?: DescMethodUnary<typeof GetRequestSchema, Object>;
}

interface PageRequest extends ListFilter {
  readonly pageSize: number;
  readonly pageToken: string;
}

interface Page<Item> {
  readonly items: readonly Item[];
  /** Empty on the last page. */
  readonly next: string;
}

const PAGE_SIZE = 1000;

/** Hides the message types of a kind behind what the commands need. */
export function kindEntry<Object extends DescMessage>(spec: KindSpec<Object>): KindEntry {
  const { kind, title, plural, short, columns, spare, get, remove } = spec;
  const show = (object: MessageShape<Object>, zone: Zone = {}): Shown => ({
    json: messageJson(spec.schema, object) as JsonObject,
    brief: () => toJson(spec.schema, object) as JsonObject,
    cells: spec.cells(object, zone),
  });
  return {
    kind,
    title,
    plural,
    ...(short === undefined ? {} : { short }),
    columns,
    ...(spare === undefined ? {} : { spare }),
    show: (object, zone) => show(object as MessageShape<Object>, zone),
    async list(admin, filter, zone) {
      const shown: Shown[] = [];
      let pageToken = "";
      do {
        const { items, next } = await spec.page(admin, { ...filter, pageSize: PAGE_SIZE, pageToken });
        shown.push(...items.map((item) => show(item, zone)));
        pageToken = next;
      } while (pageToken !== "");
      return shown;
    },
    ...(get === undefined ? {} : { get: async (admin, name, zone) => show(await admin.call(get, { name }), zone) }),
    ...(remove === undefined ? {} : { remove }),
  };
}

export function enumText(desc: DescEnum, value: number, unspecified: string): string {
  return value === 0 ? unspecified : (desc.value[value]?.name ?? String(value));
}

export function orDash(text: string): string {
  return text === "" ? "-" : text;
}

/** The first thing that is wrong with an object. */
export function problemText(conditions: readonly Condition[]): string {
  const bad = conditions.find(({ ok }) => !ok);
  return bad === undefined ? "-" : `${bad.reason}: ${bad.message}`;
}
