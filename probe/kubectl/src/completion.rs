//! Completes words and flags, from the same table as the help.
//! For names of pods it asks kubectl's own completion.

use clap::Command;
use std::fmt::Write as _;

/// The script for a shell. For `kubectl` it is the program that kubectl looks for as `kubectl_complete-credprobe`.
pub(crate) fn script(shell: &str, program: &Command) -> String {
    let words: Vec<&str> = program.get_subcommands().map(Command::get_name).collect();
    let flags = |command: &Command| {
        let longs = command.get_arguments().filter_map(|it| it.get_long()).map(|it| format!("--{it}"));
        longs.collect::<Vec<_>>().join(" ")
    };
    let mut out = String::new();
    match shell {
        "fish" => {
            for command in program.get_subcommands() {
                let name = command.get_name();
                let _ = writeln!(out, "complete -c kubectl-credprobe -n __fish_use_subcommand -f -a {name}");
                for flag in command.get_arguments().filter_map(|it| it.get_long()) {
                    let _ = writeln!(
                        out,
                        "complete -c kubectl-credprobe -n '__fish_seen_subcommand_from {name}' -l {flag}"
                    );
                }
            }
        }
        "kubectl" => {
            out.push_str(
                "#!/bin/sh\n# As kubectl_complete-credprobe in the path: completes `kubectl credprobe`.\n",
            );
            out.push_str("case $1 in\n");
            for command in program.get_subcommands() {
                let _ = writeln!(out, "  {}) printf '%s\\n' {} ;;", command.get_name(), flags(command));
            }
            let _ = writeln!(out, "  *) printf '%s\\n' {} ;;\nesac\necho :4", words.join(" "));
        }
        _ => {
            if shell == "zsh" {
                out.push_str("autoload -U +X bashcompinit && bashcompinit\n");
            }
            out.push_str("_kubectl_credprobe() {\n  local word=${COMP_WORDS[COMP_CWORD]} words\n  case ${COMP_WORDS[1]} in\n");
            for command in program.get_subcommands() {
                let _ = writeln!(out, "    {}) words='{}' ;;", command.get_name(), flags(command));
            }
            let _ = writeln!(out, "    *) words='{}' ;;", words.join(" "));
            out.push_str("  esac\n  [ \"$COMP_CWORD\" -gt 1 ] || words='");
            out.push_str(&words.join(" "));
            out.push_str("'\n  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\ncomplete -F _kubectl_credprobe kubectl-credprobe\n");
        }
    }
    out
}
