//! `completion SHELL`: completes commands, flags and the words that flags take, for bash, zsh and fish.
//! The data comes from the table of flags; only the scripts' syntax is here.

use super::flags::{COMMANDS, Command, FLAGS, Flag};
use std::fmt::Write as _;

pub(super) const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// The script for `shell`; `None` if there is none.
pub(super) fn script(shell: &str) -> Option<String> {
    Some(match shell {
        "bash" => bash(),
        "zsh" => zsh(),
        "fish" => fish(),
        _ => return None,
    })
}

/// The words that can follow the command's name.
fn arguments(command: &Command) -> Vec<&'static str> {
    match command.name {
        "help" => COMMANDS.iter().map(|command| command.name).collect(),
        "completion" => SHELLS.to_vec(),
        _ => Vec::new(),
    }
}

/// Whether this value or argument is a file.
fn takes_file(value: &str) -> bool {
    value.starts_with("FILE") || value.starts_with("PATH") || value.starts_with("REPORT")
}

/// The first clause of a description, without characters that have a meaning in a shell.
fn words(text: &str) -> String {
    let text = text.split([';', '[']).next().unwrap_or_default().trim_end();
    let text = text.replace('\'', "’").replace(": ", " – ");
    text.chars().filter(|c| !"`\"\\$:".contains(*c)).collect()
}

fn bash() -> String {
    let mut values = String::new();
    let mut files = Vec::new();
    let mut others = Vec::new();
    for flag in FLAGS {
        let name = format!("--{}", flag.name);
        match (flag.choices(), flag.value) {
            (Some(choices), _) => {
                let short = flag.short().map(|short| format!("|-{short}")).unwrap_or_default();
                let _ = writeln!(values, "    {name}{short}) words='{}' ;;", choices.join(" "));
            }
            (None, Some(value)) if takes_file(value) => files.push(name),
            (None, Some(_)) => others.push(name),
            (None, None) => {}
        }
    }
    let mut by_command = String::new();
    for command in COMMANDS {
        let flags = command.flags().map(|flag| {
            let equals = if flag.value.is_some() { "=" } else { "" };
            format!("--{}{equals}", flag.name)
        });
        let words: Vec<String> = arguments(command).into_iter().map(str::to_owned).chain(flags).collect();
        let _ = writeln!(by_command, "        {}) words='{}' ;;", command.name, words.join(" "));
    }
    let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
    format!(
        r#"# bash completion of credprobe: source <(credprobe completion bash)
_credprobe() {{
  local cur="${{COMP_WORDS[COMP_CWORD]}}" flag="${{COMP_WORDS[COMP_CWORD-1]}}" command=check words= file=
  case "${{COMP_WORDS[1]}}" in
    {commands}) command="${{COMP_WORDS[1]}}" ;;
  esac
  # bash makes a word of its own of the equals sign.
  if [ "$cur" = = ]; then
    cur=
  elif [ "$flag" = = ]; then
    flag="${{COMP_WORDS[COMP_CWORD-2]}}"
  fi
  case "$flag" in
{values}    {files}) file=1 ;;
    {others}) ;;
    *)
      case "$command" in
{by_command}      esac
      [ "$command" = judge ] && file=1
      [ "$COMP_CWORD" = 1 ] && words="{names} $words" ;;
  esac
  COMPREPLY=($(compgen ${{file:+-f}} -W "$words" -- "$cur"))
  case "${{COMPREPLY[*]}}" in
    *=) compopt -o nospace ;;
  esac
}}
complete -F _credprobe credprobe
"#,
        commands = names.join("|"),
        names = names.join(" "),
        files = files.join("|"),
        others = others.join("|"),
    )
}

fn zsh() -> String {
    let mut commands = String::new();
    let mut by_command = String::new();
    for command in COMMANDS {
        let _ = writeln!(commands, "    '{}:{}'", command.name, words(command.about));
        let mut specs: Vec<String> = command.flags().map(zsh_flag).collect();
        match (arguments(command).join(" "), takes_file(command.argument)) {
            (_, true) => specs.push("'1:file:_files'".to_owned()),
            (words, _) if !words.is_empty() => specs.push(format!("'1:argument:({words})'")),
            _ => {}
        }
        let specs: Vec<String> = specs.iter().map(|spec| format!(" \\\n      {spec}")).collect();
        let _ = writeln!(by_command, "    {}) _arguments{} ;;", command.name, specs.concat());
    }
    format!(
        r#"#compdef credprobe
# zsh completion of credprobe: source <(credprobe completion zsh)
_credprobe() {{
  local -a commands
  commands=(
{commands}  )
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe command commands
    return
  fi
  local command=check
  if [[ $words[2] != -* ]]; then
    command=$words[2]
    shift words
    (( CURRENT -= 1 ))
  fi
  case $command in
{by_command}  esac
}}
if [[ $funcstack[1] == _credprobe ]]; then
  _credprobe "$@"
else
  compdef _credprobe credprobe
fi
"#
    )
}

fn zsh_flag(flag: &Flag) -> String {
    let help = words(&flag.help());
    let action = match (flag.choices(), flag.value) {
        (Some(choices), _) => format!("({})", choices.join(" ")),
        (None, Some(value)) if takes_file(value) => "_files".to_owned(),
        _ => String::new(),
    };
    match flag.value {
        Some(_) => format!("'--{}=[{help}]:value:{action}'", flag.name),
        None => format!("'--{}[{help}]'", flag.name),
    }
}

fn fish() -> String {
    let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
    let mut out = String::from(
        "# fish completion of credprobe: credprobe completion fish | source\ncomplete -c credprobe -f\n",
    );
    let first = format!("not __fish_seen_subcommand_from {}", names.join(" "));
    for command in COMMANDS {
        let about = words(command.about);
        let _ = writeln!(out, "complete -c credprobe -n '{first}' -a {} -d '{about}'", command.name);
        // Without a command, the flags are those of `check`.
        let seen = format!("__fish_seen_subcommand_from {}", command.name);
        let within = if command.name == "check" { format!("{first}; or {seen}") } else { seen };
        match (arguments(command).join(" "), takes_file(command.argument)) {
            (_, true) => {
                let _ = writeln!(out, "complete -c credprobe -n '{within}' -F");
            }
            (words, _) if !words.is_empty() => {
                let _ = writeln!(out, "complete -c credprobe -n '{within}' -a '{words}'");
            }
            _ => {}
        }
        for flag in command.flags() {
            let value = match (flag.choices(), flag.value) {
                (Some(choices), _) => format!(" -x -a '{}'", choices.join(" ")),
                (None, Some(value)) if takes_file(value) => " -r -F".to_owned(),
                (None, Some(_)) => " -x".to_owned(),
                (None, None) => String::new(),
            };
            let short = flag.short().map(|short| format!(" -s {short}")).unwrap_or_default();
            let help = words(&flag.help());
            let _ = writeln!(
                out,
                "complete -c credprobe -n '{within}' -l {}{short}{value} -d '{help}'",
                flag.name
            );
        }
    }
    out
}
