import type { DescMessage, JsonObject } from "@bufbuild/protobuf";
import {
  HistoryEntrySchema,
  ReportHealthResponseSchema,
  RollbackResponseSchema,
  SetEncodingProfileResponseSchema,
  WriteBackendResponseSchema,
} from "../gen/fairlead/admin/v1/admin_pb.ts";
import { ApplyResponseSchema } from "../gen/fairlead/admin/v1/apply_pb.ts";
import {
  BackupEndSchema,
  BackupHeadSchema,
  ImportResponseSchema,
  RestoreResponseSchema,
} from "../gen/fairlead/admin/v1/archive_pb.ts";
import { HealthSchema } from "../gen/fairlead/admin/v1/backend_pb.ts";
import {
  ExplainBackendResponseSchema,
  ExplainRequestResponseSchema,
  ExplanationSchema,
} from "../gen/fairlead/admin/v1/explain_pb.ts";
import { NodeSchema } from "../gen/fairlead/admin/v1/node_pb.ts";
import {
  GetStatusResponseSchema,
  ReplicaSchema,
  ResendResponseSchema,
  WaitForRevisionResponseSchema,
  WatchResponseSchema,
} from "../gen/fairlead/admin/v1/observe_pb.ts";
import { WriteResponseSchema } from "../gen/fairlead/admin/v1/write_pb.ts";
import { messageSchema, referTo, type SchemaForm } from "../schema/json-schema.ts";
import { descriptorOf } from "../schema/object-message.ts";
import { KIND_ENTRIES } from "./kinds.ts";

/**
 * JSON Schema (draft 2020-12) of what commands print with `-o json`, by command: `#/properties/apply` describes the document
 * of `fairlead apply`. Made from the same descriptors as the output.
 */
export function outputSchema(): JsonObject {
  const form: SchemaForm = { defs: { Error: ERROR, FieldDocs: FIELD_DOCS }, isPrinted: true };
  const properties = Object.entries(DOCUMENTS).map(([command, documents]) => [
    command,
    { anyOf: [...documents(form), ERROR_ALONE] },
  ]);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "What fairlead prints with -o json, by command; watch prints one such document a line",
    type: "object",
    properties: Object.fromEntries(properties) as JsonObject,
    additionalProperties: false,
    $defs: form.defs,
  };
}

/** The documents that a command may print when it does not fail at once. */
type Documents = (form: SchemaForm) => readonly JsonObject[];

const TEXT = { type: "string" };
const FLAG = { const: true };
const WHOLE = { type: "integer", minimum: 0 };
const ERROR: JsonObject = {
  type: "object",
  properties: { exitCode: WHOLE, reason: TEXT, message: TEXT },
  required: ["exitCode", "reason", "message"],
  additionalProperties: false,
};
const REFERRED_ERROR = { $ref: "#/$defs/Error" };
const ERROR_ALONE: JsonObject = {
  type: "object",
  properties: { error: REFERRED_ERROR },
  required: ["error"],
  additionalProperties: false,
};

/** What a kind or a field is for; its fields have fields only with `--recursive`. */
const FIELD_DOCS: JsonObject = {
  type: "object",
  properties: {
    path: TEXT,
    type: TEXT,
    isRequired: { type: "boolean" },
    isReadOnly: { type: "boolean" },
    description: TEXT,
    rules: {
      type: "array",
      items: {
        type: "object",
        properties: { about: TEXT, text: TEXT },
        required: ["about", "text"],
        additionalProperties: false,
      },
    },
    fields: { type: "array", items: { $ref: "#/$defs/FieldDocs" } },
  },
  required: ["path", "type", "isRequired", "isReadOnly", "description", "rules", "fields"],
  additionalProperties: false,
};

const one =
  (...descs: readonly DescMessage[]): Documents =>
  (form) =>
    descs.map((desc) => referTo(desc, form));
const list =
  (...descs: readonly DescMessage[]): Documents =>
  (form) =>
    descs.map((desc) => ({ type: "array", items: referTo(desc, form) }));
/** An answer of the API, with how the wait ended and why the command failed after it, if it did. */
const waited =
  (desc: DescMessage, more: JsonObject = {}): Documents =>
  (form) => {
    const answer = messageSchema(desc, form);
    const wait = referTo(WaitForRevisionResponseSchema, form);
    return [{ ...answer, properties: { ...answer.properties, wait, error: REFERRED_ERROR, ...more } }];
  };
/** The same, for a command that has a dry run. */
const write = (desc: DescMessage, more: JsonObject = {}): Documents =>
  waited(desc, { dryRun: FLAG, hasChanges: { type: "boolean" }, ...more });
const fields =
  (properties: (form: SchemaForm) => JsonObject, optional: JsonObject = {}): Documents =>
  (form) => {
    const required = properties(form);
    const all = { ...required, ...optional };
    return [{ type: "object", properties: all, required: Object.keys(required), additionalProperties: false }];
  };
const any =
  (...alternatives: readonly Documents[]): Documents =>
  (form) =>
    alternatives.flatMap((documents) => documents(form));

const fieldDocuments: Documents = () => [{ $ref: "#/$defs/FieldDocs" }];
const KINDS = KIND_ENTRIES.map(({ kind }) => descriptorOf(kind));
const MISSING = { missing: FLAG };
const BACKUP = (form: SchemaForm) => ({
  head: referTo(BackupHeadSchema, form),
  end: referTo(BackupEndSchema, form),
  bytes: WHOLE,
});

/** By command. Commands that print no document made here (`export`, `bootstrap`, `schema`, `completion`) have none. */
const DOCUMENTS: Readonly<Record<string, Documents>> = {
  apply: write(ApplyResponseSchema),
  get: any(one(...KINDS), list(...KINDS)),
  delete: write(WriteResponseSchema, { ...MISSING, kind: TEXT, name: TEXT }),
  register: write(WriteBackendResponseSchema),
  unregister: write(WriteResponseSchema, MISSING),
  drain: write(WriteBackendResponseSchema, { ...MISSING, removed: FLAG }),
  health: any(list(HealthSchema), write(ReportHealthResponseSchema), write(WriteResponseSchema, MISSING)),
  "explain backend": any(one(ExplainBackendResponseSchema), fieldDocuments),
  ...Object.fromEntries(
    KIND_ENTRIES.flatMap(({ kind, explain }) =>
      explain ? [[`explain ${kind}`, any(one(ExplanationSchema), fieldDocuments)]] : [],
    ),
  ),
  "explain node": one(ExplanationSchema),
  "explain request": one(ExplainRequestResponseSchema),
  status: one(GetStatusResponseSchema),
  nodes: list(NodeSchema),
  node: one(NodeSchema),
  resend: waited(ResendResponseSchema),
  forget: write(WriteResponseSchema, { ...MISSING, kind: TEXT, name: TEXT }),
  watch: one(WatchResponseSchema),
  history: list(HistoryEntrySchema),
  rollback: any(write(RollbackResponseSchema), write(ApplyResponseSchema)),
  upgrade: any(
    fields((form) => ({ encodingProfile: WHOLE, replicas: { type: "array", items: referTo(ReplicaSchema, form) } })),
    write(SetEncodingProfileResponseSchema),
  ),
  import: write(ImportResponseSchema),
  backup: fields(BACKUP),
  restore: any(waited(RestoreResponseSchema), fields(BACKUP, { dryRun: FLAG })),
  version: fields(() => ({ version: TEXT })),
};
