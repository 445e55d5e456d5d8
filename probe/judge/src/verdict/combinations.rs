//! Tests combinations of findings and their results: the rows of `combinations.txt`, then what a row cannot express.
//! `properties` tests what holds for all combinations.

use super::*;
use crate::catalog::Attribute;
use crate::judge::gate::stops_before_network;
use Basis::{Explicit, Inferred};
use Class::*;

const REFUSED: Situation = Situation { issued: false, deny_warnings: false, compatible: false };
const ISSUED: Situation = Situation { issued: true, deny_warnings: false, compatible: false };

#[test]
fn each_row_is_decided_as_it_says() -> Result<(), String> {
    let lines = include_str!("combinations.txt").lines().enumerate();
    let rows = lines.filter(|(_, row)| !row.is_empty() && !row.starts_with('#'));
    let mut count = 0;
    for (index, row) in rows {
        let place = format!("combinations.txt:{}: {row}", index + 1);
        let [situation, findings, decides, also_seen] = row.split('|').map(str::trim).collect::<Vec<_>>()[..]
        else {
            return Err(format!("not four columns: {place}"));
        };
        let situation = Situation {
            issued: situation.contains("issued"),
            deny_warnings: situation.contains("denying"),
            compatible: situation.contains("compatible"),
        };
        let findings: Option<_> = findings.split_whitespace().map(finding).collect();
        let findings = findings.ok_or_else(|| format!("not a finding: {place}"))?;
        let judgement = decide(findings, &situation);

        let exit = exit_code(&judgement, &Tolerate::default(), false);
        assert_eq!(format!("{} {}", exit.code, judgement.class), decides, "{place}");
        let mut explained: Vec<String> = judgement
            .findings
            .iter()
            .filter_map(|it| Some(format!("{}<{}", it.finding.class, it.explained_by?)))
            .collect();
        explained.sort();
        let mut expected: Vec<&str> = also_seen.split(' ').filter(|it| !it.is_empty()).collect();
        expected.sort();
        assert_eq!(explained, expected, "{place}");
        count += 1;
    }
    assert!(count >= 45, "only {count} rows were read");
    Ok(())
}

/// Parses `class!stated` and similar forms, which the head of the file explains.
fn finding(text: &str) -> Option<Finding> {
    let mark = text.find(['!', '?', '.'])?;
    let class = Class::from_id(&text[..mark])?;
    let severity = match &text[mark..=mark] {
        "!" => Severity::Error,
        "?" => Severity::Warning,
        _ => Severity::Info,
    };
    let finding = Finding::new(class, "").severity(severity);
    match &text[mark + 1..] {
        "" => Some(finding),
        "stated" => Some(stated(finding)),
        "guessed" => Some(guessed(finding)),
        topic => {
            let topic = serde_json::from_value(serde_json::Value::String(topic.to_owned())).ok()?;
            Some(finding.about(topic))
        }
    }
}

fn error(class: Class) -> Finding {
    Finding::new(class, "").severity(Severity::Error)
}

fn warning(class: Class) -> Finding {
    Finding::new(class, "").severity(Severity::Warning)
}

fn info(class: Class) -> Finding {
    Finding::new(class, "").severity(Severity::Info)
}

fn stated(finding: Finding) -> Finding {
    finding.expectation(Explicit)
}

fn guessed(finding: Finding) -> Finding {
    finding.expectation(Inferred)
}

#[test]
fn only_the_explainer_that_is_named_is_promoted() {
    let findings = vec![error(TokenExpired), warning(TokenFileStale), warning(TokenFileFrozen)];
    let judgement = decide(findings, &REFUSED);
    let severity =
        |class| judgement.findings.iter().find(|it| it.finding.class == class).map(|it| it.finding.severity);
    assert_eq!(severity(TokenFileFrozen), Some(Severity::Error));
    assert_eq!(severity(TokenFileStale), Some(Severity::Warning));
}

#[test]
fn findings_are_listed_errors_warnings_also_seen_notes() {
    let judgement = decide(
        vec![
            info(Shadowed),
            error(Inconclusive),
            error(ConnectTimeout),
            warning(EndpointDiffers),
            error(NotInjected),
            warning(ProxyCaptures).about(Topic::OwnProxy),
        ],
        &REFUSED,
    );
    let order: Vec<(Class, Severity)> =
        judgement.findings.iter().map(|it| (it.finding.class, it.finding.severity)).collect();
    assert_eq!(
        order,
        [
            (NotInjected, Severity::Error),
            (ProxyCaptures, Severity::Error),
            (Inconclusive, Severity::Error),
            (EndpointDiffers, Severity::Warning),
            (ConnectTimeout, Severity::Error),
            (Shadowed, Severity::Info),
        ]
    );
    assert_eq!(judgement.deciding, Some(0));
}

#[test]
fn of_two_findings_of_a_class_the_stated_one_decides() {
    let judgement = decide(
        vec![
            guessed(error(AudienceMismatch)).owner(Owner::Pod),
            stated(error(AudienceMismatch)).owner(Owner::Cluster),
        ],
        &REFUSED,
    );
    assert_eq!(judgement.deciding_finding().map(|it| it.expectation), Some(Explicit));
}

#[test]
fn owner_and_transience_are_the_deciding_findings_and_recreation_the_classs() {
    let judgement = decide(vec![error(IssuerUnavailable).owner(Owner::Cluster).transient(false)], &REFUSED);
    assert_eq!(judgement.owner(), Some(Owner::Cluster));
    assert!(!judgement.transient() && !judgement.class.has(Attribute::RecreatePod));

    let judgement = decide(vec![error(TokenFileEmpty), error(TokenFileMissing)], &REFUSED);
    assert!(!judgement.transient() && judgement.class.has(Attribute::RecreatePod));

    let ready = decide(vec![warning(TokenFileFrozen)], &ISSUED);
    assert_eq!(
        (ready.owner(), ready.transient(), ready.class.has(Attribute::RecreatePod)),
        (None, false, false)
    );
}

#[test]
fn the_exit_code_is_zero_when_tolerated_or_only_reported() -> Result<(), String> {
    let throttled = decide(vec![error(Throttled)], &REFUSED);
    let refused = decide(vec![error(ProxyFailed).transient(false)], &REFUSED);
    let ready = decide(vec![], &REFUSED);
    let rows: [(&Judgement, &str, bool, u8, bool); 10] = [
        (&throttled, "", false, Throttled.code(), false),
        (&throttled, "transient", false, 0, true),
        (&throttled, "aws", false, 0, true),
        (&throttled, "throttled", false, 0, true),
        (&throttled, "network,access-denied", false, Throttled.code(), false),
        (&refused, "transient", false, ProxyFailed.code(), false),
        (&refused, "", true, 0, false),
        (&refused, "network", true, 0, true),
        (&ready, "ready,transient,aws", false, 0, false),
        (&ready, "", true, 0, false),
    ];
    for (index, (judgement, list, report_only, code, tolerated)) in rows.into_iter().enumerate() {
        let tolerate = Tolerate::parse(list)?;
        let exit = exit_code(judgement, &tolerate, report_only);
        assert_eq!(exit, Exit { code, tolerated }, "row {index}");
    }
    Ok(())
}

#[test]
fn only_what_is_certain_stops_before_the_network_and_only_as_an_error() {
    for class in Class::all() {
        let always = class.has(Attribute::Certain);
        assert_eq!(stops_before_network(&guessed(error(*class))), always, "{class}, guessed");
        let when_stated = always || class.has(Attribute::CertainIfStated);
        assert_eq!(stops_before_network(&stated(error(*class))), when_stated, "{class}, stated");
        assert!(!stops_before_network(&stated(warning(*class))), "{class}, a warning");
        assert!(!stops_before_network(&stated(info(*class))), "{class}, a note");
    }
}

#[test]
fn only_the_finding_whose_condition_holds_is_promoted() {
    let bundle = warning(SettingsInvalid).about(Topic::CaBundle);
    let judgement = decide(vec![error(TlsFailed), warning(SettingsInvalid), bundle], &REFUSED);
    let severity = |about: Option<Topic>| {
        let mut all = judgement.findings.iter();
        all.find(|it| it.finding.class == SettingsInvalid && it.finding.about == about)
            .map(|it| it.finding.severity)
    };
    assert_eq!(judgement.class, SettingsInvalid);
    assert_eq!(severity(Some(Topic::CaBundle)), Some(Severity::Error));
    assert_eq!(severity(None), Some(Severity::Warning));
}
