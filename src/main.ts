#!/usr/bin/env node
import { styleText } from "node:util";
import type { Escaped } from "./app/command-settings.ts";
import { provisionCommand } from "./app/provision.ts";
import { storeDoor } from "./app/store-door.ts";
import { upCommand } from "./app/up.ts";
import { runCli } from "./cli/main.ts";
import { systemClock } from "./runtime/clock.ts";
import { exitProcess } from "./runtime/exit-process.ts";

const { argv, env, stdout, stderr } = process;

const stopSignal = () =>
  new Promise<string>((resolve) => {
    const onSignal = (name: string) => {
      process.off("SIGTERM", onSignal).off("SIGINT", onSignal);
      resolve(name);
    };
    process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  });

const escaped = () =>
  new Promise<Escaped>((resolve) => {
    process.on("uncaughtException", (thrown, origin) => resolve({ thrown, origin }));
  });

// A failure to write to standard error cannot be reported, and is no reason to exit: the log counts its lost lines.
stderr.on("error", () => undefined);
stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
  const why = code === "EPIPE" ? "who read it has gone" : message;
  stderr.write(`fairlead: the output could not be written to its end: ${why}\n`);
  void exitProcess(1, systemClock);
});

/** By Node's rules: on terminals that support it, unless NO_COLOR is set; FORCE_COLOR has the last word. */
const showsColors = (stream: NodeJS.WriteStream) => styleText("red", " ", { stream }) !== " ";

const exit = (code: number) => exitProcess(code, systemClock);
const host = { environment: env, stdout, stderr, stopSignal, escaped };
const commands = [upCommand, provisionCommand].map((build) => build(host, exit));
const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
const io = {
  stdout,
  stderr,
  env,
  clock: systemClock,
  isTty: stdout.isTTY,
  // The window may have been resized by the time of a later table.
  get columns() {
    return stdout.isTTY ? stdout.columns : undefined;
  },
  get rows() {
    return stdout.isTTY ? stdout.rows : undefined;
  },
  colors: { stdout: showsColors(stdout), stderr: showsColors(stderr) },
  timeZone,
};
process.exitCode = await runCli(argv.slice(2), io, undefined, commands, storeDoor(host));
