//! What the permission tests share: where files are placed, which files, and who opens them.
//! It does not know the model under test.

pub(crate) mod case;
pub(crate) mod ground;
pub(crate) mod named;
pub(crate) mod opener;
pub(crate) mod volume;
