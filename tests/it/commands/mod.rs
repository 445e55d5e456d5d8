//! The command line, one topic a file.
//! `session` is what they share: commands and what came of them.

mod completion;
mod first_process;
mod golden;
mod hostile;
mod leak_scan;
mod pipes;
mod planted;
mod session;
mod stuck;
mod terminal;
mod texts;
mod token_bytes;
