//! The completion scripts in the real shells, if this machine has them.
//! The tests ask the shell what it offers, and do not read the script.
#![expect(clippy::unwrap_used, reason = "in a test, that is the report")]

use crate::support::{binary, ci::in_ci};
use std::io::{self, Write as _};
use std::process::{Command, Stdio};

fn script(shell: &str) -> String {
    let output = Command::new(binary::probe()).env_clear().args(["completion", shell]).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// What the shell prints for `program` on its stdin; `None` if this machine does not have the shell.
fn asked(shell: &str, arguments: &[&str], program: &str) -> Option<String> {
    let mut command = Command::new(shell);
    let mut child = match command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => {
            assert!(!in_ci(), "CI must test this: {shell}: {error}");
            let _ = writeln!(io::stderr(), "NOT TESTED HERE: {shell}: {error}");
            return None;
        }
    };
    child.stdin.take().unwrap().write_all(program.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stdout));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The words before the cursor as bash splits them, and what bash then offers.
const IN_BASH: &[(&[&str], &[&str])] = &[
    (&["credprobe", "ch"], &["check", "chain"]),
    (&["credprobe", "--expect-r"], &["--expect-role="]),
    (&["credprobe", "serve", "--readiness", "=", "st"], &["strict", "startup"]),
    (&["credprobe", "check", "-o", "j"], &["json"]),
    (&["credprobe", "serve", "--wa"], &[]),
    (&["credprobe", "help", "tr"], &["trust"]),
    (&["credprobe", "completion", ""], &["bash", "zsh", "fish"]),
    (&["credprobe", "check", "--region", "=", "e"], &[]),
];

#[test]
fn bash_offers_what_fits() {
    for (words, offered) in IN_BASH {
        let list: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let program = format!(
            "set -u\n{}\ncompopt() {{ :; }}\nCOMP_WORDS=({}); COMP_CWORD={}\n_credprobe\nprintf '%s\\n' \"${{COMPREPLY[@]:-}}\"\n",
            script("bash"),
            list.join(" "),
            words.len() - 1
        );
        let Some(said) = asked("bash", &["--norc", "-s"], &program) else { return };
        let said: Vec<&str> = said.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(said, *offered, "{words:?}");
    }
}

#[test]
fn zsh_and_fish_take_their_scripts() {
    let load =
        format!("autoload -U compinit; compinit -u -D\n{}\nprint -r -- $_comps[credprobe]\n", script("zsh"));
    if let Some(said) = asked("zsh", &["-f", "-s"], &load) {
        assert_eq!(said, "_credprobe\n");
    }
    let offer = format!("{}\ncomplete -C 'credprobe serve --readiness='\n", script("fish"));
    if let Some(said) = asked("fish", &["--no-config"], &offer) {
        assert!(said.contains("strict") && said.contains("startup"), "{said}");
        assert!(said.contains("\thold – once ready"), "what the values are: {said}");
    }
}
