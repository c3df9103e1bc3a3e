/** Many small HTTP servers in one process, one port each: what the bench of health checks checks. */
import { createServer, type Socket } from "node:net";

const [first = 0, count = 0] = process.argv.slice(2).map(Number);
const ANSWER = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

function answer(socket: Socket): void {
  socket.on("error", () => undefined);
  socket.once("data", () => socket.end(ANSWER));
}

for (let port = first; port < first + count; port += 1) {
  await new Promise<void>((resolve, reject) => {
    createServer(answer).once("error", reject).listen(port, "127.0.0.1", resolve);
  });
}
process.send?.("listening");
