//! Days of a pod on a simulated clock: rotation, expiry, a revoked role, an STS outage, jumps of the wall clock.
//! The cycle, the state and the judges are real; `world` simulates what they look at.

mod world;

use super::readiness::Mode;
use super::state::ReadinessReason;
use credprobe_judge::catalog::Class;
use std::time::Duration;
use world::{Pod, Sts, Token};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn nothing_is_ready_before_the_first_answer() {
    let pod = Pod::new(Mode::Hold);
    pod.sts(Sts::Slow(Duration::from_secs(9)));
    pod.run(async {
        pod.wait(Duration::from_secs(1)).await;
        assert_eq!(pod.readyz(), (false, ReadinessReason::NoVerdict));
        pod.wait(Duration::from_secs(9)).await;
        assert_eq!(pod.readyz(), (true, ReadinessReason::Verdict(Class::Ready)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_rotated_token_is_exchanged_within_an_interval() {
    let pod = Pod::new(Mode::Hold);
    pod.run(async {
        pod.wait(10 * MINUTE).await;
        assert_eq!(pod.exchanges(), 1);
        pod.rotate();
        pod.wait(Duration::from_secs(16)).await;
        assert_eq!(pod.exchanges(), 2);
        let exchanged = pod.state(|state| state.exchanged().unwrap().evidence.token.clone().unwrap().iat);
        assert_eq!(exchanged, Some(pod.token().iat));
        pod.wait(10 * MINUTE).await;
        assert_eq!(pod.exchanges(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_token_that_nobody_rotates_expires_and_a_new_one_heals() {
    let pod = Pod::new(Mode::Hold);
    pod.place(Token { iat: 0, ttl: 3600 });
    pod.run(async {
        pod.wait(HOUR - MINUTE).await;
        assert!(pod.readyz().0);
        pod.wait(7 * MINUTE).await;
        let (ready, because) = pod.readyz();
        assert!(!ready, "{because}");
        // The response of STS stays visible, and a judgement without it is not reported as a defect of the probe.
        let classes = pod.state(|state| {
            let shown = state.shown().unwrap();
            assert!(shown.evidence.exchange.is_some());
            shown.findings.iter().map(|finding| finding.class).collect::<Vec<_>>()
        });
        assert!(
            classes.contains(&Class::TokenExpired) && !classes.contains(&Class::Inconclusive),
            "{classes:?}"
        );
        assert!(pod.metric("credprobe_token_expiry_timestamp_seconds") < pod.wall() as f64);
        pod.rotate();
        pod.wait(Duration::from_secs(16)).await;
        assert_eq!(pod.readyz(), (true, ReadinessReason::Verdict(Class::Ready)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_token_file_that_is_gone_counts_at_once_and_its_return_too() {
    for mode in [Mode::Hold, Mode::Strict] {
        let pod = Pod::new(mode);
        pod.run(async {
            pod.wait(MINUTE).await;
            pod.remove_file(true);
            pod.wait(Duration::from_secs(16)).await;
            assert_eq!(pod.readyz(), (false, ReadinessReason::Verdict(Class::TokenFileMissing)));
            assert_eq!(pod.metric("credprobe_verdict_code"), 20.0);
            pod.wait(HOUR * 3).await;
            assert_eq!(pod.exchanges(), 1, "nothing is sent while that is certain");
            pod.remove_file(false);
            pod.wait(Duration::from_secs(31)).await;
            assert!(pod.readyz().0);
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_looked_at_is_told_and_looked_at_again_soon() {
    let pod = Pod::new(Mode::Hold);
    pod.hide_token(true);
    pod.run(async {
        pod.wait(MINUTE).await;
        assert_eq!(pod.readyz(), (false, ReadinessReason::Verdict(Class::Inconclusive)));
        assert_eq!((pod.metric("credprobe_verdict_code"), pod.exchanges()), (3.0, 0));
        pod.hide_token(false);
        pod.wait(Duration::from_secs(16)).await;
        assert_eq!(pod.readyz(), (true, ReadinessReason::Verdict(Class::Ready)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_file_that_does_not_answer_is_told_and_leaves_readiness_as_it_was() {
    for mode in [Mode::Hold, Mode::Strict, Mode::Startup] {
        for was_ready in [true, false] {
            let pod = Pod::new(mode);
            pod.run(async {
                pod.wait(MINUTE).await;
                pod.remove_file(!was_ready);
                pod.wait(MINUTE).await;
                let before = pod.readyz().0;
                assert_eq!(before, was_ready || mode == Mode::Startup);
                pod.hang(true);
                // The two hours begin within an interval and include exchanges that are due.
                for _ in 0..HOUR.as_secs() * 2 {
                    pod.wait(Duration::from_secs(1)).await;
                    assert_eq!(pod.readyz().0, before, "{mode:?}");
                }
                assert_eq!(pod.metric("credprobe_verdict_code"), 3.0);
                assert_eq!(pod.exchanges(), 1);
                pod.hang(false);
                pod.remove_file(false);
                pod.wait(MINUTE).await;
                assert_eq!(pod.readyz(), (true, ReadinessReason::Verdict(Class::Ready)));
            })
            .await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_only_a_free_judgement_sees_stays_the_verdict_until_it_is_gone() {
    let pod = Pod::new(Mode::Hold);
    pod.break_bundle(true);
    pod.run(async {
        for _ in 0..600 {
            pod.wait(Duration::from_secs(1)).await;
            assert_eq!(pod.readyz(), (false, ReadinessReason::Verdict(Class::SettingsInvalid)));
        }
        assert_eq!((pod.said(), pod.exchanges()), (1, 0));
        pod.break_bundle(false);
        pod.wait(Duration::from_secs(16)).await;
        assert_eq!(pod.readyz(), (true, ReadinessReason::Verdict(Class::Ready)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_tolerated_is_ready_and_a_failure_all_the_same() {
    let pod = Pod::tolerating("transient");
    pod.sts(Sts::Away);
    pod.run(async {
        pod.wait(30 * MINUTE).await;
        assert_eq!(pod.readyz(), (true, ReadinessReason::Tolerated(Class::ConnectTimeout)));
        assert!(pod.exchanges() > 5, "tried again by the back-off, {} times", pod.exchanges());
        let (ok, error, last) = pod.state(|state| (state.succeeded, state.failed, state.last_success));
        // One exchange may be in progress.
        let begun = u64::from(pod.exchanges());
        assert!((begun - 1..=begun).contains(&error), "{error} of {begun}");
        assert_eq!((ok, last), (0, None));
        pod.sts(Sts::Accepts);
        pod.wait(6 * MINUTE).await;
        assert_eq!(pod.readyz(), (true, ReadinessReason::Verdict(Class::Ready)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_file_that_goes_while_sts_answers_slowly_stays_gone() {
    let pod = Pod::new(Mode::Hold);
    pod.run(async {
        pod.wait(MINUTE).await;
        pod.sts(Sts::Slow(MINUTE));
        pod.rotate();
        pod.wait(Duration::from_secs(20)).await;
        assert_eq!(pod.exchanges(), 2);
        pod.remove_file(true);
        for _ in 0..90 {
            pod.wait(Duration::from_secs(1)).await;
            let (ready, because) = pod.readyz();
            assert!(!ready || because == ReadinessReason::Verdict(Class::Ready), "{because}");
        }
        assert_eq!(pod.readyz(), (false, ReadinessReason::Verdict(Class::TokenFileMissing)));
        // Said: ready, then missing. The exchange that succeeded meanwhile changed nothing.
        assert_eq!(pod.said(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_same_token_written_again_is_no_rotation() {
    let pod = Pod::new(Mode::Hold);
    pod.run(async {
        for _ in 0..30 {
            pod.wait(MINUTE).await;
            pod.write_again();
        }
        assert_eq!(pod.exchanges(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_revoked_role_shows_at_once_and_counts_after_the_hold() {
    let pod = Pod::new(Mode::Hold);
    pod.run(async {
        pod.wait(MINUTE).await;
        pod.sts(Sts::Denies);
        pod.rotate();
        pod.wait(Duration::from_secs(16)).await;
        assert_eq!(pod.readyz(), (true, ReadinessReason::Held(Class::AccessDenied)));
        assert_eq!(pod.metric("credprobe_verdict_code"), 53.0);
        assert_eq!(pod.metric("credprobe_ready"), 1.0);
        pod.wait(14 * MINUTE).await;
        assert!(pod.readyz().0);
        // The next refusal may come a whole back-off later.
        pod.wait(7 * MINUTE).await;
        assert_eq!(pod.readyz(), (false, ReadinessReason::Verdict(Class::AccessDenied)));
        assert_eq!(pod.metric("credprobe_ready"), 0.0);
        pod.sts(Sts::Accepts);
        pod.wait(5 * MINUTE).await;
        assert_eq!(pod.readyz(), (true, ReadinessReason::Verdict(Class::Ready)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn strict_follows_a_refusal_at_once_and_startup_never() {
    for (mode, ready) in [(Mode::Strict, false), (Mode::Startup, true)] {
        let pod = Pod::new(mode);
        pod.run(async {
            pod.wait(MINUTE).await;
            pod.sts(Sts::Denies);
            pod.rotate();
            pod.wait(Duration::from_secs(16)).await;
            assert_eq!(pod.readyz().0, ready);
            pod.wait(3 * HOUR).await;
            assert_eq!(pod.readyz().0, ready);
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn sts_away_shows_at_once_and_never_counts() {
    for away in [10 * MINUTE, 5 * HOUR] {
        let pod = Pod::new(Mode::Hold);
        pod.run(async {
            pod.wait(MINUTE).await;
            pod.sts(Sts::Away);
            pod.rotate();
            // One interval, plus the duration of the attempt.
            pod.wait(Duration::from_secs(26)).await;
            assert_eq!(pod.metric("credprobe_verdict_code"), 42.0);
            pod.wait(away).await;
            assert_eq!(pod.readyz(), (true, ReadinessReason::Held(Class::ConnectTimeout)));
            pod.sts(Sts::Accepts);
            pod.wait(5 * MINUTE).await;
            assert_eq!(pod.readyz(), (true, ReadinessReason::Verdict(Class::Ready)));
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_bad_policy_turns_none_of_fifty_unready_within_the_hold() {
    let pods: Vec<Pod> = (0..50).map(|_| Pod::new(Mode::Hold)).collect();
    let rounds = pods.iter().map(|pod| {
        pod.run(async {
            pod.wait(10 * MINUTE).await;
            pod.sts(Sts::Denies);
            let mut shown_after = None;
            for minute in 0..120_u32 {
                pod.wait(MINUTE).await;
                if pod.metric("credprobe_verdict_code") == 53.0 {
                    let first = *shown_after.get_or_insert(minute);
                    // The first refusal came up to a minute before this loop saw it.
                    assert!(pod.readyz().0 || minute - first >= 14, "unready after {} min", minute - first);
                }
            }
            // An hour and a tenth at most: the metric shows the refusal after the first refused exchange.
            assert!(shown_after.unwrap() <= 66);
            assert!(!pod.readyz().0);
        })
    });
    futures_of(rounds).await;
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_jumps_is_not_taken_for_an_expired_token() {
    let pod = Pod::new(Mode::Hold);
    pod.run(async {
        pod.wait(MINUTE).await;
        pod.jump(2 * 86_400);
        pod.wait(Duration::from_secs(20)).await;
        // STS accepts the token, which has expired by our clock.
        assert!(pod.readyz().0, "{}", pod.readyz().1);
        assert_eq!(pod.exchanges(), 2);
        pod.wait(30 * MINUTE).await;
        assert!(pod.readyz().0);
        assert_eq!(pod.exchanges(), 2);
        // The pod also stays ready when STS, which knows the time, is no longer reachable.
        pod.sts(Sts::Away);
        pod.wait(2 * HOUR).await;
        assert!(pod.readyz().0, "{}", pod.readyz().1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_exchange_makes_no_verdict_stale() {
    let pod = Pod::new(Mode::Hold);
    pod.run(async {
        pod.wait(MINUTE).await;
        pod.sts(Sts::Slow(10 * MINUTE));
        pod.rotate();
        pod.wait(5 * MINUTE).await;
        assert!(pod.readyz().0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_verdict_of_three_intervals_ago_is_none() {
    let pod = Pod::new(Mode::Hold);
    pod.run(pod.wait(MINUTE)).await;
    // The cycle has ended, as if it hung.
    pod.wait(Duration::from_secs(46)).await;
    assert_eq!(pod.readyz(), (false, ReadinessReason::Stale));
    assert_eq!(pod.metric("credprobe_ready"), 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_day_has_two_dozen_exchanges_and_a_day_of_refusals_is_no_load() {
    let pod = Pod::new(Mode::Hold);
    pod.place(Token { iat: -300, ttl: 2 * 86_400 });
    pod.run(pod.wait(24 * HOUR)).await;
    assert!((22..=28).contains(&pod.exchanges()), "{}", pod.exchanges());
    // With full jitter below five minutes there is one exchange in 2.5 min; below one minute, before the first success, two in
    // each minute.
    for (succeeds_first, exchanges) in [(true, 450..=750), (false, 2_400..=3_400)] {
        let pod = Pod::new(Mode::Hold);
        pod.place(Token { iat: -300, ttl: 2 * 86_400 });
        if !succeeds_first {
            pod.sts(Sts::Denies);
        }
        pod.run(async {
            pod.wait(MINUTE).await;
            pod.sts(Sts::Denies);
            pod.rotate();
            pod.wait(24 * HOUR).await;
        })
        .await;
        assert!(exchanges.contains(&pod.exchanges()), "{}", pod.exchanges());
    }
}

#[tokio::test(start_paused = true)]
async fn the_strip_keeps_fifty_verdicts_of_whatever_happens() {
    let pod = Pod::new(Mode::Hold);
    pod.sts(Sts::Denies);
    pod.run(pod.wait(6 * HOUR)).await;
    let classes = pod.state(|state| state.history().iter().map(|past| past.told.class).collect::<Vec<_>>());
    assert_eq!(classes, [Class::AccessDenied; 50]);
}

#[tokio::test(start_paused = true)]
async fn report_only_is_ready_whatever_happens_and_says_the_class() {
    let pod = Pod::with(Mode::Hold, |settings| settings.report_only = true);
    pod.sts(Sts::Denies);
    pod.run(async {
        pod.wait(MINUTE).await;
        assert_eq!(pod.readyz(), (true, ReadinessReason::ReportOnly(Some(Class::AccessDenied))));
        assert_eq!(pod.metric("credprobe_ready"), 0.0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn without_network_the_local_verdict_is_all() {
    let pod = Pod::with(Mode::Hold, |settings| settings.no_network = true);
    pod.run(async {
        pod.wait(MINUTE).await;
        assert_eq!(pod.readyz(), (true, ReadinessReason::Verdict(Class::Ready)));
        pod.remove_file(true);
        pod.wait(MINUTE).await;
        assert_eq!(pod.readyz(), (false, ReadinessReason::Verdict(Class::TokenFileMissing)));
        assert_eq!(pod.exchanges(), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_a_success_hides_is_told_by_probe_metric_and_log_in_ids_and_names() {
    for report_only in [false, true] {
        let pod = Pod::with(Mode::Hold, |settings| settings.report_only = report_only);
        pod.set_keys();
        pod.run(async {
            pod.wait(MINUTE).await;
            assert_eq!(pod.readyz(), (true, ReadinessReason::But(Class::Shadowed, report_only)));
            let said = pod.readyz().1.to_string();
            assert!(
                said.starts_with("ready 0, but shadowed") && said.contains("report only") == report_only,
                "{said}"
            );
            let info = r#"credprobe_verdict_info{class="ready",owner="pod",but="shadowed"} 1"#;
            assert!(pod.metrics().contains(info), "{}", pod.metrics());
            let line = pod.last_said();
            assert!(
                line.contains("Z ready 0, but ") && line.ends_with("; owner pod: whoever deploys this pod"),
                "{line}"
            );
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_verdict_in_words_has_an_owner_unless_all_is_well() {
    let pod = Pod::new(Mode::Hold);
    pod.run(async {
        pod.wait(MINUTE).await;
        assert!(pod.metrics().contains(r#"credprobe_verdict_info{class="ready",owner="",but=""} 1"#));
        assert!(!pod.last_said().contains("; owner"), "{}", pod.last_said());
        let since = pod.state(|state| state.since());
        pod.sts(Sts::Denies);
        pod.wait(2 * HOUR).await;
        assert!(
            pod.metrics().contains(r#"credprobe_verdict_info{class="access-denied",owner="iam",but=""} 1"#)
        );
        assert!(
            pod.last_said().contains("; owner iam: whoever administers IAM in account "),
            "{}",
            pod.last_said()
        );
        assert!(since < pod.state(|state| state.since()), "since when the verdict is another");
        assert_eq!(pod.said(), 2, "each verdict once");
    })
    .await;
}

/// Runs all futures on one clock.
async fn futures_of(futures: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        futures.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if futures.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_clusters_trouble_is_told_and_takes_no_pod_out() {
    for mode in [Mode::Hold, Mode::Strict, Mode::Startup] {
        for (status, class) in [(401, Class::ClusterUnauthorized), (503, Class::Inconclusive)] {
            let pod = Pod::new(mode);
            pod.sts(Sts::Cluster(status));
            pod.run(async {
                pod.wait(MINUTE).await;
                assert_eq!(pod.readyz(), (true, ReadinessReason::Beside(class)), "{mode:?}");
                assert_eq!(pod.metric("credprobe_verdict_code"), f64::from(class.code()));
                pod.wait(5 * HOUR).await;
                assert!(pod.readyz().0, "{mode:?}");
                let exchanges = pod.exchanges();
                assert!(
                    (5..=7).contains(&exchanges),
                    "asked at the exchange interval, not {exchanges} times"
                );
                // The application's own failures still count.
                pod.sts(Sts::Denies);
                pod.wait(2 * HOUR).await;
                assert_eq!(pod.readyz().0, mode == Mode::Startup, "{mode:?}");
            })
            .await;
        }
    }
}

/// Access checks run at the exchange's interval, also after codes 64 to 67, until an exchange itself fails.
#[tokio::test(start_paused = true)]
async fn what_the_role_may_not_do_is_asked_at_the_exchanges_interval_and_counts_only_when_it_lasts() {
    let pod = Pod::new(Mode::Hold);
    pod.run(async {
        pod.wait(MINUTE).await;
        pod.sts(Sts::Forbids);
        pod.rotate();
        pod.wait(Duration::from_secs(16)).await;
        assert_eq!(pod.exchanges(), 2);
        assert_eq!(pod.metric("credprobe_verdict_code"), 64.0);
        assert_eq!(pod.readyz(), (true, ReadinessReason::Held(Class::PermissionMissing)));
        pod.wait(50 * MINUTE).await;
        assert_eq!(pod.exchanges(), 2, "no back-off");
        pod.wait(16 * MINUTE).await;
        assert_eq!(pod.exchanges(), 3);
        pod.wait(2 * HOUR).await;
        assert_eq!(pod.readyz(), (false, ReadinessReason::Verdict(Class::PermissionMissing)));
        // A failed exchange is retried soon.
        pod.sts(Sts::Away);
        pod.wait(2 * HOUR).await;
        let before = pod.exchanges();
        pod.wait(20 * MINUTE).await;
        assert!(pod.exchanges() > before + 2, "{} after {before}", pod.exchanges());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_proved_turns_nothing_unready() {
    let pod = Pod::new(Mode::Strict);
    pod.sts(Sts::Unproved);
    pod.run(async {
        pod.wait(3 * HOUR).await;
        assert_eq!(pod.readyz(), (true, ReadinessReason::But(Class::AccessUnproved, false)));
        let but = pod.state(|state| state.shown().unwrap().verdict.but);
        assert_eq!(but, Some(Class::AccessUnproved));
    })
    .await;
}
