//! The tables of probe/docs/scale.md.

use super::{
    checks::{Run, Setting},
    sidecars::Served,
};
use std::{fmt::Write as _, time::Duration};

pub(crate) fn of_settings(runs: impl Iterator<Item = Run>) -> String {
    let mut table = String::from(
        "| pods | flags | half ready | all ready | gave up | identity not confirmed | attempts a pod | requests | refused | busiest second |\n\
         |---:|---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for run in runs {
        let all = run.all_ready.map_or_else(|| "never".to_owned(), seconds);
        let half = run.half_ready.map_or_else(|| "never".to_owned(), seconds);
        let attempts = f64::from(run.attempts) / f64::from(run.setting.pods);
        writeln!(
            table,
            "| {} | {} | {half} | {all} | {} | {} | {attempts:.1} | {} | {} | {} |",
            grouped(run.setting.pods),
            flags(run.setting),
            share(run.gave_up, run.setting.pods),
            share(run.unconfirmed, run.setting.pods),
            grouped(run.requests),
            share(run.refused, run.requests),
            grouped(run.per_second.iter().copied().max().unwrap_or_default()),
        )
        .unwrap();
    }
    table
}

pub(crate) fn of_sidecars(served: &Served) -> String {
    format!(
        "| what | {} sidecars |\n|---|---:|\n\
         | half ready | {} |\n| all ready | {} |\n\
         | requests until then | {} |\n| refused | {} |\n| busiest second | {} |\n\
         | busiest second of the hourly exchanges | {} |\n| refused among them | {} |\n",
        grouped(served.pods),
        seconds(served.half_ready),
        seconds(served.all_ready),
        grouped(served.requests),
        share(served.refused, served.requests),
        grouped(served.busiest),
        grouped(served.busiest_later),
        grouped(served.refused_later),
    )
}

fn flags(setting: Setting) -> String {
    let (wait, jitter) = (setting.wait.as_secs(), setting.start_jitter.as_secs());
    let identity = if setting.identity { "" } else { " --no-identity" };
    format!("`--wait={wait}s --start-jitter={jitter}s{identity}`")
}

fn seconds(at: Duration) -> String {
    format!("{:.1} s", at.as_secs_f64())
}

/// The count, and its percentage. A share above zero is never shown as zero.
fn share(part: u32, whole: u32) -> String {
    if part == 0 {
        return "0".to_owned();
    }
    let percent = 100.0 * f64::from(part) / f64::from(whole);
    format!("{} ({percent:.*} %)", grouped(part), usize::from(percent < 1.0))
}

fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
