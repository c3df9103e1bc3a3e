import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Client, credentials, ServerCredentials, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AdminServer, createAdminServer } from "../../../src/admin/admin-server.ts";
import {
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from "../../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { openPlaneContext, type PlaneContext, testContainment } from "../../support/plane-context.ts";

type Question = NonNullable<MessageInitShape<typeof ServerReflectionRequestSchema>["messageRequest"]>;

let plane: PlaneContext;
let server: AdminServer;
let client: Client;

beforeAll(async () => {
  plane = await openPlaneContext();
  server = createAdminServer({
    context: plane,
    logger: silentLogger,
    notReady: () => undefined,
    containment: testContainment(),
  });
  client = new Client(
    await server.listen("127.0.0.1:0", ServerCredentials.createInsecure()),
    credentials.createInsecure(),
  );
});

afterAll(async () => {
  client.close();
  await server.stop(1000);
  await plane.close();
});

async function ask(question: Question, version = "v1"): Promise<ServerReflectionResponse["messageResponse"]> {
  const stream = client.makeBidiStreamRequest(
    `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    (bytes: Buffer) => bytes,
    (bytes) => fromBinary(ServerReflectionResponseSchema, bytes),
  );
  const request = create(ServerReflectionRequestSchema, { messageRequest: question });
  stream.end(Buffer.from(toBinary(ServerReflectionRequestSchema, request)));
  const answers = (await stream.toArray()) as ServerReflectionResponse[];
  const [answer] = answers;
  if (answer === undefined) throw new Error("no answer");
  return answer.messageResponse;
}

const filesFor = async (question: Question) => {
  const answer = await ask(question);
  if (answer.case !== "fileDescriptorResponse") throw new Error(`answered ${answer.case}`);
  return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
};

test.each(["v1", "v1alpha"])("lists the services under the name of %s", async (version) => {
  const answer = await ask({ case: "listServices", value: "" }, version);
  expect(answer.value).toMatchObject({
    service: [
      { name: "fairlead.admin.v1.AdminService" },
      { name: "grpc.health.v1.Health" },
      { name: "grpc.reflection.v1.ServerReflection" },
    ],
  });
});

test("gives a file with all that it imports", async () => {
  const files = await filesFor({ case: "fileByFilename", value: "fairlead/admin/v1/admin.proto" });
  const known = new Set(files.map(({ name }) => name));
  expect(files[0]?.name).toBe("fairlead/admin/v1/admin.proto");
  for (const { dependency } of files) for (const imported of dependency) expect(known).toContain(imported);
});

test.each([
  ["fairlead.admin.v1.AdminService", "admin.proto"],
  ["fairlead.admin.v1.AdminService.Apply", "admin.proto"],
  ["fairlead.admin.v1.Change.Action", "apply.proto"],
  ["fairlead.admin.v1.Route.hosts", "route.proto"],
])("finds the file of %s", async (symbol, file) => {
  const [first] = await filesFor({ case: "fileContainingSymbol", value: symbol });
  expect(first?.name).toBe(`fairlead/admin/v1/${file}`);
});

test("carries the comments, and the details of errors", async () => {
  const [file] = await filesFor({ case: "fileContainingSymbol", value: "fairlead.admin.v1.AdminService" });
  expect(file?.sourceCodeInfo?.location.some(({ leadingComments }) => leadingComments !== "")).toBe(true);
  await filesFor({ case: "fileContainingSymbol", value: "google.rpc.BadRequest" });
});

test("says what it does not have", async () => {
  const answer = await ask({ case: "fileContainingSymbol", value: "nobody.knows" });
  expect(answer).toMatchObject({ case: "errorResponse", value: { errorCode: status.NOT_FOUND } });
});
