//! The matrix of faults: its cells, how one cell is run, and its limits.

pub(crate) mod cells;
pub(crate) mod gate;
pub(crate) mod limits;
mod matrix;
pub(crate) mod pod;
