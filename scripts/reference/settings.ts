import { environmentName, SETTINGS } from "../../src/app/config.ts";
import type { Setting } from "../../src/app/setting.ts";

/** The options of `fairlead up` as a Markdown table. */
export function settingsTable(): string {
  const rows = SETTINGS.map((setting: Setting) => {
    const option = `\`--${setting.key}${setting.placeholder === "" ? "" : ` ${setting.placeholder}`}\``;
    const otherwise = setting.default === undefined ? "" : `\`${setting.default}\``;
    return `| ${option} | \`${environmentName(setting.key)}\` | ${otherwise} | ${setting.description} |`;
  });
  return ["| Option | Environment | Default | Meaning |", "| --- | --- | --- | --- |", ...rows].join("\n");
}
