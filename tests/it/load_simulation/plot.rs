//! Draws probe/docs/scale.svg: ready pods and arriving requests over time. It is readable on light and dark paper.

use super::{bucket::LIMIT, checks::Run};
use std::fmt::Write as _;

/// The number of pods in each run shown.
const PODS: u32 = 10_000;
const WIDTH: f64 = 760.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
/// Title and legend are above the first panel.
const PANELS: [Panel; 2] = [Panel { top: 78.0, height: 210.0 }, Panel { top: 346.0, height: 170.0 }];
const HEIGHT: f64 = 556.0;
/// The time axis, in seconds.
const SPAN: f64 = 75.0;
const BUSIEST: f64 = 30_000.0;

struct Panel {
    top: f64,
    height: f64,
}

impl Panel {
    /// The point for `value`, from 0 to 1, at `seconds`.
    fn point(&self, seconds: f64, value: f64) -> String {
        format!("{:.1} {:.1}", across(seconds), self.height.mul_add(1.0 - value, self.top))
    }

    fn level(&self, value: f64) -> f64 {
        self.height.mul_add(1.0 - value, self.top)
    }
}

fn across(seconds: f64) -> f64 {
    (WIDTH - LEFT - RIGHT).mul_add(seconds / SPAN, LEFT)
}

/// Draws runs that differ only in their jitter, and one with enough jitter.
pub(crate) fn drawn(runs: &[Run], enough: &Run) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"title\">\n\
         <title id=\"title\">Pods that are ready and requests to STS over time, for four start jitters and what is enough</title>\n\
         <style>\n{STYLE}</style>\n<rect class=\"paper\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n"
    );
    let all: Vec<&Run> = runs.iter().chain([enough]).collect();
    legend(&mut svg, &all);
    let [ready, asked] = &PANELS;
    frame(&mut svg, ready, "pods that are ready", &[0.0, 2_500.0, 5_000.0, 7_500.0, 10_000.0], |pods| {
        pods / f64::from(PODS)
    });
    frame(
        &mut svg,
        asked,
        "requests in each second (logarithmic)",
        &[10.0, 100.0, 1_000.0, 10_000.0],
        logarithmic,
    );
    let limit = asked.level(logarithmic(f64::from(LIMIT)));
    let (from, to) = (across(0.0), across(SPAN));
    writeln!(svg, "<path class=\"limit\" d=\"M{from:.1} {limit:.1}H{to:.1}\"/>").unwrap();
    writeln!(
        svg,
        "<text class=\"end\" x=\"{:.1}\" y=\"{:.1}\">STS lets {LIMIT} a second through</text>",
        to - 4.0,
        limit - 5.0
    )
    .unwrap();
    for (number, run) in all.iter().enumerate() {
        writeln!(svg, "<path class=\"line c{number}\" d=\"{}\"/>", readiness(run, ready)).unwrap();
        writeln!(svg, "<path class=\"line c{number}\" d=\"{}\"/>", requests(run, asked)).unwrap();
    }
    svg.push_str("</svg>\n");
    svg
}

/// One point every quarter of a second.
fn readiness(run: &Run, panel: &Panel) -> String {
    let mut path = String::new();
    for quarter in 0_u32.. {
        let seconds = f64::from(quarter) / 4.0;
        let count = run.ready_at.partition_point(|at| at.as_secs_f64() <= seconds);
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let start = if quarter == 0 { 'M' } else { 'L' };
        write!(path, "{start}{}", panel.point(seconds, f64::from(count) / f64::from(PODS))).unwrap();
        if seconds >= SPAN || seconds > run.end.as_secs_f64() {
            break;
        }
    }
    path
}

/// One step every second; seconds without a request are left out.
fn requests(run: &Run, panel: &Panel) -> String {
    let mut path = String::new();
    for (second, &count) in (0_u32..).zip(&run.per_second) {
        let second = f64::from(second);
        if second >= SPAN {
            break;
        }
        let level = logarithmic(f64::from(count.max(1)));
        let start = if path.is_empty() { 'M' } else { 'L' };
        write!(path, "{start}{}", panel.point(second, level)).unwrap();
        write!(path, "H{:.1}", across((second + 1.0).min(SPAN))).unwrap();
    }
    path
}

/// Logarithmic. 1 is at the bottom, and lower counts are drawn there too.
fn logarithmic(count: f64) -> f64 {
    (count.max(1.0).log10() / BUSIEST.log10()).min(1.04)
}

fn legend(svg: &mut String, runs: &[&Run]) {
    writeln!(
        svg,
        "<text class=\"title\" x=\"{LEFT}\" y=\"24\">10,000 pods that start at once, by --start-jitter</text>"
    )
    .unwrap();
    let step = (WIDTH - LEFT - RIGHT) / f64::from(u32::try_from(runs.len()).unwrap_or(1));
    for (number, run) in (0_u32..).zip(runs) {
        let at = step.mul_add(f64::from(number), LEFT);
        let (jitter, wait) = (run.setting.start_jitter.as_secs(), run.setting.wait.as_secs());
        writeln!(svg, "<path class=\"line c{number}\" d=\"M{at:.1} 42h18\"/>").unwrap();
        writeln!(svg, "<text x=\"{:.1}\" y=\"46\">{jitter} s, wait {wait} s</text>", at + 24.0).unwrap();
    }
}

fn frame(svg: &mut String, panel: &Panel, title: &str, marks: &[f64], height: impl Fn(f64) -> f64) {
    let (from, to) = (across(0.0), across(SPAN));
    writeln!(svg, "<text class=\"title\" x=\"{LEFT}\" y=\"{:.1}\">{title}</text>", panel.top - 10.0).unwrap();
    for &mark in marks {
        let at = panel.level(height(mark));
        writeln!(svg, "<path class=\"grid\" d=\"M{from:.1} {at:.1}H{to:.1}\"/>").unwrap();
        writeln!(svg, "<text class=\"end\" x=\"{:.1}\" y=\"{:.1}\">{mark}</text>", LEFT - 8.0, at + 4.0)
            .unwrap();
    }
    let bottom = panel.top + panel.height;
    writeln!(svg, "<path class=\"axis\" d=\"M{from:.1} {bottom:.1}H{to:.1}\"/>").unwrap();
    for seconds in (0..=75_u32).step_by(15) {
        let at = across(f64::from(seconds));
        let class = if seconds == 75 { "end" } else { "middle" };
        writeln!(svg, "<text class=\"{class}\" x=\"{at:.1}\" y=\"{:.1}\">{seconds} s</text>", bottom + 18.0)
            .unwrap();
    }
}

/// Colours that people who confuse red and green can tell apart; lighter ones on dark paper.
const STYLE: &str = "\
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.paper { fill: #ffffff; }
.grid { stroke: #d1d9e0; fill: none; }
.axis { stroke: #59636e; fill: none; }
.limit { stroke: #59636e; stroke-dasharray: 5 4; fill: none; }
.line { stroke-width: 2; fill: none; stroke-linejoin: round; }
.c0 { stroke: #b8336a; }
.c1 { stroke: #c77700; }
.c2 { stroke: #00856a; }
.c3 { stroke: #0060b0; }
.c4 { stroke: #1f2328; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.paper { fill: #0d1117; }
.grid { stroke: #30363d; }
.axis, .limit { stroke: #9198a1; }
.c0 { stroke: #ff7fb0; }
.c1 { stroke: #ffb347; }
.c2 { stroke: #4cd3b0; }
.c3 { stroke: #6db8ff; }
.c4 { stroke: #e6edf3; }
}
";
