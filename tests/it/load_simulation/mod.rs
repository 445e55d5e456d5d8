//! The model: pods and their clocks, STS's limit, and what is drawn and written of it.

pub(crate) mod answers;
pub(crate) mod bucket;
pub(crate) mod checks;
pub(crate) mod page;
pub(crate) mod plot;
pub(crate) mod random;
pub(crate) mod sidecars;
