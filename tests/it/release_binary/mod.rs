//! Claims about the shipped file, one topic a file.
//! Each returns `Ok(Err(why))` where this machine cannot test it.

pub(crate) mod elf;
pub(crate) mod empty_root;
pub(crate) mod memory;
pub(crate) mod process;
pub(crate) mod starved;
