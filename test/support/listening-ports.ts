/** Which TCP ports a process of this machine listens on. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** State of a listening socket in `/proc/net/tcp`. */
const LISTEN = "0A";

export function listeningPorts(pid: number): readonly number[] {
  const folder = `/proc/${pid}/fd`;
  const own = new Set(readdirSync(folder).map((fd) => inodeOf(`${folder}/${fd}`)));
  const sockets = ["tcp", "tcp6"].flatMap((table) => readFileSync(`/proc/${pid}/net/${table}`, "utf8").split("\n"));
  const ports = sockets.flatMap((line) => {
    const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
    return state === LISTEN && own.has(inode) ? [Number.parseInt(local.slice(local.lastIndexOf(":") + 1), 16)] : [];
  });
  return [...new Set(ports)].toSorted((a, b) => a - b);
}

function inodeOf(path: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1];
  } catch {
    // Closed meanwhile.
    return undefined;
  }
}
