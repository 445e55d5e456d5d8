//! The model: pods and their clocks, STS's limit, and the plot and tables of the results.

pub(crate) mod answers;
pub(crate) mod bucket;
pub(crate) mod checks;
pub(crate) mod page;
pub(crate) mod plot;
pub(crate) mod random;
pub(crate) mod sidecars;
