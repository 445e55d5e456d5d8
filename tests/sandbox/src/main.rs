//! The command `credprobe-sandbox`, which simulates AWS and Kubernetes around another command.
//! Everything is in the library, so that tests can read the scenarios as well.

use std::process::ExitCode;

fn main() -> ExitCode {
    credprobe_sandbox::main()
}
