#!/usr/bin/env node
import { provisionCommand } from "./app/provision.ts";
import { storeDoor } from "./app/store-door.ts";
import { upCommand } from "./app/up.ts";
import { runCli } from "./cli/main.ts";
import { systemClock } from "./runtime/clock.ts";

const { argv, env, stdout, stderr } = process;

const stopSignal = () =>
  new Promise<string>((resolve) => {
    process.once("SIGTERM", () => resolve("SIGTERM"));
    process.once("SIGINT", () => resolve("SIGINT"));
  });

// Whoever reads the output may stop reading: `fairlead get backends | head`.
stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

const host = { environment: env, stdout, stderr, stopSignal };
const commands = [upCommand, provisionCommand].map((build) => build(host, (code) => process.exit(code)));
const io = { stdout, stderr, env, clock: systemClock, isTty: stdout.isTTY };
process.exitCode = await runCli(argv.slice(2), io, undefined, commands, storeDoor(host));
