//! What a long run meets: rotation, a revoked role, an STS outage, a token file that disappears and returns, a whole day.

use super::{
    Told, must, say,
    server::{Kept, PUBLIC, Server, get, is_ready, metric, until, until_code},
    world::{exchanges, fresh, heal, revoke, rotate, turn},
};
use serde_json::json;
use std::process::Command;

pub(super) fn changes(probe: &str) -> Told {
    let server = Server::start(probe, &["--interval=50ms", "--hold=1s"])?;
    until("it is ready", is_ready)?;
    must(exchanges()? == 1, || "one exchange at the start".to_owned())?;
    must(metric("credprobe_exchanges_total{result=\"ok\"}")? == 1.0, || "which is counted".to_owned())?;

    let (issued, session) = (
        metric("credprobe_token_issued_timestamp_seconds")?,
        metric("credprobe_session_expiry_timestamp_seconds")?,
    );
    must(session > issued, || "the session's time is told".to_owned())?;
    fresh()?;
    until("the rotated token is exchanged", || Ok(exchanges()? == 2))?;
    until("its time is told", || Ok(metric("credprobe_token_issued_timestamp_seconds")? > issued))?;

    revoke()?;
    fresh()?;
    until_code(53)?;
    must(is_ready()?, || "one refusal does not count".to_owned())?;
    let held = get(PUBLIC, "/readyz")?.body;
    must(held.starts_with("access-denied 53, still ready"), || held.clone())?;
    // Each new token causes a new exchange, so no back-off has to be waited for.
    until("three refusals over the hold count", || fresh().and_then(|()| Ok(!is_ready()?)))?;
    must(metric("credprobe_ready")? == 0.0, || "the metric says so".to_owned())?;
    heal()?;
    fresh()?;
    until("it is ready again", is_ready)?;

    turn(json!({"fault": "reset-in-handshake"}))?;
    fresh()?;
    until_code(49)?;
    for _ in 0..5 {
        fresh()?;
        must(is_ready()?, || "network trouble never counts".to_owned())?;
    }
    heal()?;
    fresh()?;
    until_code(0)?;

    rotate(json!({"token_file": {"missing": true}}))?;
    until("a missing file counts at once", || Ok(!is_ready()?))?;
    until_code(20)?;
    rotate(
        json!({"token": {"age_seconds": 0}, "token_file": {"owner": 1000, "group": 1000, "mode": "0600"}}),
    )?;
    until_code(21)?;
    must(!is_ready()?, || "and one that is closed".to_owned())?;
    let before = exchanges()?;
    rotate(json!({"token": {"age_seconds": 0, "ttl_seconds": 1}}))?;
    until("a token that has expired counts at once", || {
        Ok(get(PUBLIC, "/readyz")?.body.starts_with("token-expired 31"))
    })?;
    must(exchanges()? > before, || "it was shown to STS".to_owned())?;
    fresh()?;
    until("it is ready at the end", is_ready)?;
    server.stop()
}

/// Without a free descriptor it can see neither the token nor anything else. A connection that is already open asks it.
pub(super) fn starved(probe: &str) -> Told {
    for readiness in ["hold", "strict", "startup"] {
        let server =
            Server::start(probe, &["--no-network", "--interval=50ms", &format!("--readiness={readiness}")])?;
        until("it is ready", is_ready)?;
        let mut kept = Kept::open()?;
        // After this answer the connection is accepted.
        kept.get("/livez")?;
        server.limit_descriptors("0")?;
        until("it says that it cannot look", || Ok(kept.get("/readyz")?.1.contains("inconclusive 3")))?;
        for _ in 0..5 {
            let (status, body) = kept.get("/readyz")?;
            must(status == 200, || format!("--readiness={readiness}: {status} {body}"))?;
        }
        server.limit_descriptors("1024")?;
        until_code(0)?;
        server.stop()?;
    }
    Ok(())
}

/// 24 exchanges and 5,760 verdicts, which in real life are an hour and a quarter of a minute apart; with few descriptors.
pub(super) fn day(probe: &str) -> Told {
    const HOURS: u64 = 24;
    const JUDGEMENTS_AN_HOUR: u64 = 240;
    let limited = format!("ulimit -n 40; exec {probe} serve --interval=1ms --log-level=info");
    let server = Server::start_with(Command::new("sh").args(["-c", &limited]))?;
    until("it is ready", is_ready)?;
    let mut after_warm_up = 0;
    for hour in 1..=HOURS {
        let slept = server.sleeps()?;
        until("an hour's judgements", || Ok(server.sleeps()? - slept >= JUDGEMENTS_AN_HOUR))?;
        let before = exchanges()?;
        fresh()?;
        until("the token is exchanged", || Ok(exchanges()? > before))?;
        if hour == HOURS / 4 {
            after_warm_up = server.kilobytes("VmRSS")?;
        }
    }
    until("it is ready at the end", is_ready)?;
    let (at_end, peak) = (server.kilobytes("VmRSS")?, server.kilobytes("VmHWM")?);
    say(&format!(
        "measured: resident after 6 hours {after_warm_up} kB, after 24 hours {at_end} kB, at most {peak} kB"
    ));
    must(at_end <= after_warm_up + 128, || format!("it grew from {after_warm_up} kB to {at_end} kB"))?;
    server.stop()
}
