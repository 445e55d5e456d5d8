//! Whether this is CI, where nothing is left out: a test that cannot run there fails.
//! Elsewhere such a test is reported as ignored, with the reason.

/// Whether a test that cannot run here is a failure.
pub(crate) fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}
