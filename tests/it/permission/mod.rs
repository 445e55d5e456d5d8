//! What the permission tests share: where they lay files, what they lay, and who opens it.
//! Knows nothing of the model that is tested.

pub(crate) mod case;
pub(crate) mod ground;
pub(crate) mod named;
pub(crate) mod opener;
pub(crate) mod volume;
