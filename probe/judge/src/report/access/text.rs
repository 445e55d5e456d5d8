//! The answer for people, in the form of a report: a script whose prose is comments.
//! Decides nothing. The script escapes text from outside.

use super::AccessReport;
use crate::catalog::Class;
use crate::steps::script::{Look, Mark, Script, fitted};

pub(super) fn render(report: &AccessReport) -> String {
    let mut out = Script::new(Look::default());
    let class = Class::ClusterUnauthorized;
    match report.mapped {
        true => out.first(Mark::Good, &fitted("mapped 0:", &report.title)),
        false => {
            out.first(Mark::Bad, &fitted(&format!("{} {}:", class.id(), class.code()), &report.title));
            out.row("who", "whoever administers access to the cluster");
            out.row("restart", "not needed: run credprobe again");
        }
    }
    out.row("identity", &report.principal);
    if let Some(username) = &report.username {
        out.row("user", username);
        let groups = if report.groups.is_empty() { "none".to_owned() } else { report.groups.join(", ") };
        out.row("groups", &groups);
    }
    for remark in &report.remarks {
        out.row(if report.mapped { "but" } else { "why" }, remark);
    }
    for near in &report.near {
        out.row("near", &format!("{}, {}: {}", near.words, near.entry, near.why));
    }
    for dropped in &report.dropped {
        out.row("dropped", &format!("{}: {}", dropped.words, dropped.why));
    }
    out.steps(&report.steps, &mut 0);
    out.blank();
    out.row("explain", &format!("credprobe explain {}", class.id()));
    out.text()
}
