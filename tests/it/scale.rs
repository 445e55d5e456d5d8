//! Ten thousand pods that start at once, against STS's limit: the probe's own retry and jitter on a simulated clock. The
//! results are probe/docs/scale.svg and a part of scale.md. They are compared here, and written with CREDPROBE_WRITE_DOCS=1.
#![expect(clippy::disallowed_methods, reason = "a test reads and writes the repository")]
#![expect(clippy::unwrap_used, reason = "a test: what fails here is a broken page")]

mod load_simulation;

use load_simulation::{
    checks::{self, Setting},
    page, plot, sidecars,
};
use std::{env, fs, path::PathBuf, time::Duration};

const PODS: u32 = 10_000;
const SECOND: Duration = Duration::from_secs(1);

fn setting(pods: u32, wait: u32, jitter: u32) -> Setting {
    Setting { pods, wait: wait * SECOND, start_jitter: jitter * SECOND, identity: true }
}

#[test]
fn the_page_is_current() {
    let mut blocks: Vec<(&str, String)> = Vec::new();
    let grid = [30, 60].into_iter().flat_map(|wait| [0, 2, 10, 30].map(|jitter| setting(PODS, wait, jitter)));
    blocks.push(("scale", page::of_settings(grid.map(checks::run))));
    let enough = [(60, 60), (80, 50), (90, 60)].map(|(wait, jitter)| setting(PODS, wait, jitter));
    let without_identity =
        [(30, 2), (55, 25)].map(|(wait, jitter)| Setting { identity: false, ..setting(PODS, wait, jitter) });
    blocks.push(("enough", page::of_settings(enough.into_iter().chain(without_identity).map(checks::run))));
    let sizes = [250, 500, 1_000, 2_000, 3_000, 5_000].map(|pods| setting(pods, 30, 2));
    blocks.push(("sizes", page::of_settings(sizes.into_iter().map(checks::run))));
    blocks.push(("serve", page::of_sidecars(&sidecars::run(PODS))));

    let mut text = read("scale.md");
    for (name, block) in blocks {
        text = with_block(&text, name, &block);
    }
    check("scale.md", &text);
}

#[test]
fn the_picture_is_current() {
    let runs = [0, 2, 10, 30].map(|jitter| checks::run(setting(PODS, 60, jitter)));
    check("scale.svg", &plot::drawn(&runs, &checks::run(setting(PODS, 80, 50))));
}

#[test]
fn the_same_seed_gives_the_same_run() {
    assert_eq!(checks::run(setting(500, 30, 2)), checks::run(setting(500, 30, 2)));
}

/// If STS has room, the model adds nothing: each pod asks once.
#[test]
fn few_pods_are_ready_at_once_and_never_refused() {
    let run = checks::run(setting(100, 30, 0));
    assert_eq!((run.ready, run.refused, run.requests), (100, 0, 200));
    assert!(run.all_ready.is_some_and(|at| at < SECOND), "{:?}", run.all_ready);
}

/// No jitter and no retry can beat the limit: the bucket admits only what it held and gained in that time.
#[test]
fn no_more_gets_through_than_the_limit_lets() {
    let run = checks::run(setting(PODS, 60, 0));
    let passed = run.requests - run.refused;
    let until = run.all_ready.unwrap_or(run.end).as_secs_f64();
    assert!(
        f64::from(passed) <= 600.0 + 600.0 * until + 1.0,
        "{passed} of {} within {until} s",
        run.requests
    );
    let busiest = run.per_second.iter().max();
    assert!(busiest > Some(&600), "nothing was refused, so nothing was tested: {busiest:?}");
}

/// Without `--wait` a refusal is final. That is what the retries are for.
#[test]
fn without_wait_those_that_are_refused_give_up() {
    let run = checks::run(setting(PODS, 0, 0));
    assert!(run.gave_up > PODS / 2 && run.ready + run.gave_up == PODS, "{run:?}");
}

fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "docs", name].iter().collect()
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_default()
}

fn check(name: &str, content: &str) {
    if env::var_os("CREDPROBE_WRITE_DOCS").is_some_and(|value| value == "1") {
        fs::write(path(name), content).unwrap();
        return;
    }
    assert!(read(name) == content, "probe/docs/{name} is stale: run `make docs`");
}

/// `text` with `content` between the markers of `name`.
fn with_block(text: &str, name: &str, content: &str) -> String {
    let begin = format!("<!-- generated:{name} -->\n");
    let (before, rest) = text.split_once(&begin).unwrap();
    let (_, after) = rest.split_once("<!-- /generated -->").unwrap();
    format!("{before}{begin}{content}<!-- /generated -->{after}")
}
