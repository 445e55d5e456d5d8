//! Concerns of the whole process: the guard against bugs, the log, signals, output and the termination message.
//! Knows nothing about AWS.

pub mod aside;
pub mod clock;
pub mod guard;
pub mod log;
pub mod output;
pub mod signals;
pub mod termination;
