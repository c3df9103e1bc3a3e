#!/usr/bin/env node
// The program's door, in JavaScript that any Node can read: says so when the Node is too old, then runs the sources where
// they are (in the repository), else what was built from them (in the package).
import { existsSync } from "node:fs";
import module from "node:module";
import { compileCacheDirectory } from "./compile-cache.js";

const wanted = 26;
if (Number(process.versions.node.split(".")[0]) < wanted) {
  console.error(`fairlead needs Node ${wanted} or later, this is ${process.version}.`);
  process.exit(1);
}
const compiled = compileCacheDirectory(process.env);
if (compiled !== undefined) module.enableCompileCache(compiled);
const source = new URL("../src/main.ts", import.meta.url);
await import(existsSync(source) ? source.href : new URL("../dist/main.js", import.meta.url).href);
