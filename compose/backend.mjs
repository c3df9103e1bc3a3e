/** A backend of the shop: answers every request with its own name. */
import { createServer } from "node:http";

const { SHOP: name, HOST: host = "0.0.0.0", PORT: port = "8080" } = process.env;
createServer((_, response) => {
  response.writeHead(200, { "content-type": "text/plain", "x-backend": name });
  response.end(`${name}\n`);
}).listen(Number(port), host, () => console.log(`${name} listens on ${host}:${port}`));
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit());
