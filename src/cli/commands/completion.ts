import { Argument, Command } from "commander";
import { type CliContext, printText } from "../io.ts";

/** Each script asks `fairlead __complete WORD…` for candidates; if there are none, the shell offers files. */
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_fairlead() {
  local IFS=$'\\n'
  COMPREPLY=($(fairlead __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _fairlead fairlead`,
  zsh: `#compdef fairlead
_fairlead() {
  local -a candidates
  candidates=("\${(@f)$(fairlead __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${candidates[1]}" ]]; then compadd -a candidates; else _files; fi
}
compdef _fairlead fairlead`,
  fish: `function __fairlead_complete
  set -l words (commandline -opc) (commandline -ct)
  fairlead __complete $words[2..-1] 2>/dev/null
end
complete -c fairlead -a '(__fairlead_complete)'`,
};

export function completionCommand(context: CliContext): Command {
  return new Command("completion")
    .description("Print a script with which a shell completes commands, options and names")
    .addArgument(new Argument("<shell>", "the shell that runs it").choices(Object.keys(SCRIPTS)))
    .addHelpText(
      "after",
      `
Examples:
  source <(fairlead completion bash)
  source <(fairlead completion zsh)
  fairlead completion fish | source`,
    )
    .action((shell: string) => printText(context.io, `${SCRIPTS[shell]}\n`));
}
