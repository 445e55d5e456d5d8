//! Claims about the shipped file, one topic per file.
//! Each returns `Ok(Err(why))` if this machine cannot test it.

pub(crate) mod elf;
pub(crate) mod empty_root;
pub(crate) mod memory;
pub(crate) mod process;
pub(crate) mod starved;
