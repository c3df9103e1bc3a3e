/** An xDS-enabled server over grpc-js: binds the address that its argument names once it is given a listener for it. */
import { ServerCredentials } from "@grpc/grpc-js";
import { register, XdsServer } from "@grpc/grpc-js-xds";
import { addWho } from "../who.ts";

register();
const server = new XdsServer();
addWho(server, "xds-server");
server.bindAsync(process.argv[2] ?? "", ServerCredentials.createInsecure(), (error) =>
  process.stdout.write(error ? `error ${error.message}\n` : "bound\n"),
);
