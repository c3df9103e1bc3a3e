// Stops a script that runs on a Node that is too old, before anything confusing happens. Plain JavaScript, so that any Node can say it.
const wanted = 26;
const major = Number(process.versions.node.split(".")[0]);
if (major < wanted) {
  console.error(
    `fairlead needs Node ${wanted} or later, this is ${process.version}.\n` +
      "The project brings its own: run `npm ci` without --ignore-scripts, then use `npm run …`.",
  );
  process.exit(1);
}
