//! The matrix of faults: what its cells are, how one is run, and what it may take.

pub(crate) mod cells;
pub(crate) mod gate;
pub(crate) mod limits;
mod matrix;
pub(crate) mod pod;
