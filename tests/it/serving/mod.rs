//! The stories that a `serve` goes through, played from inside the pod.
//! `server` starts the probe and talks to it; `world` changes the world.

mod crowd;
mod gate;
mod life;
mod listeners;
pub(crate) mod planted;
mod quiet;
mod server;
mod switched;
mod world;

/// The word that tells this program that it is the sandbox's command.
pub(crate) const IN_POD: &str = "--in-pod";

/// The last word if the probe is the binary that ships: limits of memory apply to that one only.
pub(crate) const SHIPPED: &str = "shipped";

type Told = Result<(), String>;
type Story = fn(&str) -> Told;

pub(crate) const STORIES: &[(&str, Story)] = &[
    ("a_token_rotates_a_role_is_revoked_and_sts_goes_away", life::changes),
    ("a_day_of_exchanges_leaves_memory_and_descriptors_as_they_are", life::day),
    ("the_gate_follows_and_the_api_servers_trouble_is_told_once", gate::follows),
    ("what_it_cannot_look_at_turns_nothing_unready", life::starved),
    ("a_crowd_keeps_no_probe_out_and_causes_no_exchange", crowd::comes),
    ("one_peers_crowd_keeps_nobody_else_waiting", crowd::pipelines),
    ("the_gate_is_sent_again_where_somebody_removed_it", gate::heals),
    ("a_healthy_pod_with_the_shipped_flags_is_warned_of_nothing", quiet::starts),
    ("no_surface_tells_what_is_planted_in_variables", planted::in_variables),
    ("no_surface_tells_what_is_planted_in_profiles_and_flags", planted::in_profiles_and_flags),
    ("each_listener_says_what_is_its_own_to_say", listeners::tell),
    ("switched_off_report_only_and_ports_in_use", switched::ways),
];

pub(crate) fn drive(story: &str, probe: &str) -> Told {
    let (_, told) = STORIES.iter().find(|(name, _)| *name == story).ok_or("there is no such story")?;
    told(probe)
}

/// Fails the story with this line unless it holds.
fn must(holds: bool, what: impl FnOnce() -> String) -> Told {
    if holds { Ok(()) } else { Err(what()) }
}

fn is_shipped() -> bool {
    std::env::args().next_back().as_deref() == Some(SHIPPED)
}

/// Prints a line. Outside it is searched for secrets, and shown if it begins with `measured: `.
fn say(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{line}");
}
