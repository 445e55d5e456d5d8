//! Writes the probe's own log lines to stderr.
//! Libraries are filtered by target, and by level at compile time: the SDK prints key ids at `debug` and credentials at `trace`.

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Writes events of this crate up to `level` from now on.
pub fn install(level: Level) {
    let own = Targets::new().with_target(env!("CARGO_CRATE_NAME"), LevelFilter::from_level(level));
    let lines = tracing_subscriber::fmt::layer()
        .without_time()
        .with_target(false)
        .with_ansi(false)
        .with_writer(|| crate::process::output::Talk);
    let _ = tracing_subscriber::registry().with(lines).with(own).try_init();
}
