//! Breaks in the way that its argument names, under the probe's guard and allocator: `faults panic [--report-only]`.
//! The tests of the guard run it; the payload of each panic represents a secret.

#![expect(clippy::panic, clippy::print_stdout, reason = "breaking is its job, and surviving must show")]

use credprobe::process::guard;
use std::{
    env,
    hint::black_box,
    process::{ExitCode, abort},
    thread,
    time::Duration,
};

#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// Must not appear in any output.
const PAYLOAD: &str = "payload-that-may-hold-a-secret";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    guard::install();
    if arguments.iter().any(|argument| argument == "--report-only") {
        guard::exit_zero_on_panic();
    }
    match arguments.first().map(String::as_str) {
        Some("panic") => panic!("{PAYLOAD}"),
        Some("panic-in-thread") => in_thread(|| panic!("{PAYLOAD}")),
        Some("panic-in-drop") => drop(PanicsInDrop),
        Some("panic-while-panicking") => {
            let _again = PanicsInDrop;
            panic!("{PAYLOAD}");
        }
        Some("result") => wrong().unwrap_or_else(|error| panic!("{error}")),
        Some("arithmetic") => println!("{}", [0_u8; 4][black_box(arguments.len() + 4)]),
        Some("overflow") => println!("{}", deep(usize::MAX)),
        Some("overflow-in-thread") => in_thread(|| println!("{}", deep(usize::MAX))),
        Some("allocation") => {
            println!("{}", black_box(Vec::<u8>::with_capacity(isize::MAX as usize / 2)).capacity())
        }
        Some("abort") => abort(),
        _ => return ExitCode::from(2),
    }
    println!("survived");
    ExitCode::SUCCESS
}

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("{PAYLOAD}");
    }
}

fn wrong() -> Result<(), String> {
    Err(PAYLOAD.to_owned())
}

fn in_thread(work: impl FnOnce() + Send + 'static) {
    let _ = thread::spawn(work).join();
    // The main thread continues, as in a runtime that catches panics.
    thread::sleep(Duration::from_millis(200));
}

fn deep(depth: usize) -> usize {
    let frame = black_box([depth; 512]);
    if depth == 0 { 0 } else { deep(depth - 1) + frame[depth % 512] }
}
