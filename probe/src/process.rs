//! What holds for the process as a whole: the guard against bugs, the log, signals, the termination message.
//! Knows nothing of AWS.

pub mod aside;
pub mod clock;
pub mod guard;
pub mod log;
pub mod output;
pub mod signals;
pub mod termination;
