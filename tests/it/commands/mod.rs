//! The command line, one topic per file.
//! They share `session`: commands and their outcomes.

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
