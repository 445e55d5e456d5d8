//! Tests what holds for every combination of findings.
//! `combinations` has single combinations with their reasons.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn any_finding() -> impl Strategy<Value = Finding> {
    let severities = vec![Severity::Error, Severity::Warning, Severity::Info];
    let expectations = vec![Basis::Explicit, Basis::Inferred, Basis::Rule];
    let conditions = Class::all().iter().flat_map(|class| class.info().explains).map(|it| it.condition);
    let topics = conditions.filter_map(|condition| match condition {
        Condition::By(topic) => Some(topic),
        _ => None,
    });
    let topics: Vec<Option<Topic>> =
        topics.chain([Topic::Time, Topic::Cluster]).map(Some).chain([None]).collect();
    let texts = (select(vec!["", "a", "b"]), select(Owner::ALL.to_vec()));
    let more = (select(topics), any::<bool>());
    (select(Class::all().to_vec()), select(severities), select(expectations), more, texts).prop_map(
        |(class, severity, expectation, (about, transient), (summary, owner))| {
            let finding = Finding::new(class, summary)
                .severity(severity)
                .expectation(expectation)
                .transient(transient)
                .owner(owner);
            Finding { about, ..finding }
        },
    )
}

/// Half of them are from classes that explain or are explained, because chains are rare among all classes.
fn any_findings() -> impl Strategy<Value = Vec<Finding>> {
    let related: Vec<Class> = Class::all()
        .iter()
        .copied()
        .filter(|class| {
            !class.info().explains.is_empty() || Class::all().iter().any(|by| by.explains(*class).is_some())
        })
        .collect();
    let related = (any_finding(), select(related)).prop_map(|(finding, class)| Finding { class, ..finding });
    vec(prop_oneof![any_finding(), related], 0..10)
}

fn any_situation() -> impl Strategy<Value = Situation> {
    any::<(bool, bool, bool)>().prop_map(|(issued, deny_warnings, compatible)| Situation {
        issued,
        deny_warnings,
        compatible,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn no_finding_is_lost_and_none_is_added(findings in any_findings(), situation in any_situation()) {
        let mut before: Vec<Class> = findings.iter().map(|it| it.class).collect();
        let judgement = decide(findings, &situation);
        let mut after: Vec<Class> = judgement.findings.iter().map(|it| it.finding.class).collect();
        before.sort();
        after.sort();
        prop_assert_eq!(before, after);
    }

    #[test]
    fn the_deciding_finding_comes_first_and_is_not_explained(findings in any_findings(), situation in any_situation()) {
        let judgement = decide(findings, &situation);
        match judgement.deciding {
            None => prop_assert_eq!(judgement.class, Class::Ready),
            Some(index) => {
                prop_assert_eq!(index, 0);
                prop_assert_eq!(judgement.findings[0].finding.class, judgement.class);
                prop_assert_eq!(judgement.findings[0].explained_by, None);
                prop_assert_ne!(judgement.class, Class::Ready);
            }
        }
    }

    #[test]
    fn the_order_of_findings_does_not_matter(
        (findings, shuffled) in any_findings().prop_flat_map(|it| (Just(it.clone()), Just(it).prop_shuffle())),
        situation in any_situation(),
    ) {
        prop_assert_eq!(decide(findings, &situation), decide(shuffled, &situation));
    }

    #[test]
    fn once_issued_nothing_guessed_blocks(findings in any_findings()) {
        let blocks = |it: &Finding| {
            it.severity == Severity::Error
                && (it.expectation == Basis::Explicit
                    || it.class.has(Attribute::StandsOnceIssued))
        };
        let guessed: Vec<Finding> = findings.into_iter().filter(|it| !blocks(it)).collect();
        let situation = Situation { issued: true, ..Situation::default() };
        prop_assert_eq!(decide(guessed, &situation).class, Class::Ready);
    }

    #[test]
    fn an_error_is_never_ready(findings in any_findings()) {
        let error = findings.iter().any(|it| it.severity == Severity::Error && it.class != Class::Ready);
        let judgement = decide(findings, &Situation::default());
        prop_assert_eq!(judgement.class != Class::Ready, error);
    }

    #[test]
    fn with_warnings_denied_only_notes_are_ready(findings in any_findings(), issued in any::<bool>()) {
        let news = findings.iter().any(|it| it.severity != Severity::Info && it.class != Class::Ready);
        let judgement = decide(findings, &Situation { issued, deny_warnings: true, compatible: false });
        prop_assert_eq!(judgement.class != Class::Ready, news);
    }

    #[test]
    fn what_explains_is_present_and_at_least_as_severe(
        findings in any_findings(), situation in any_situation(),
    ) {
        let judgement = decide(findings, &situation);
        for explained in &judgement.findings {
            let Some(by) = explained.explained_by else { continue };
            let explainers = judgement
                .findings
                .iter()
                .filter(|it| it.finding.class == by && explains(&it.finding, &explained.finding, &situation));
            let severities: Vec<Severity> = explainers.map(|it| it.finding.severity).collect();
            prop_assert!(!severities.is_empty());
            // The order of severities begins with errors.
            prop_assert!(severities.iter().all(|it| *it <= explained.finding.severity));
        }
    }

    #[test]
    fn nothing_unexplained_has_its_explainer_beside_it(findings in any_findings(), situation in any_situation()) {
        let judgement = decide(findings, &situation);
        for it in &judgement.findings {
            let finding = &it.finding;
            if it.explained_by.is_none() && finding.severity != Severity::Info {
                for other in &judgement.findings {
                    prop_assert!(!explains(&other.finding, finding, &situation));
                }
            }
        }
    }

    #[test]
    fn judging_the_judged_again_changes_nothing(findings in any_findings(), situation in any_situation()) {
        let once = decide(findings, &situation);
        let again = decide(once.findings.iter().map(|it| it.finding.clone()).collect(), &situation);
        prop_assert_eq!(once, again);
    }

    #[test]
    fn tolerating_changes_nothing_but_the_code(findings in any_findings(), situation in any_situation(), list in "[a-z, -]{0,40}") {
        let judgement = decide(findings, &situation);
        let before = judgement.clone();
        if let Ok(tolerate) = Tolerate::parse(&list) {
            let exit = exit_code(&judgement, &tolerate, false);
            prop_assert!(exit.code == judgement.class.code() || exit.tolerated && exit.code == 0);
        }
        prop_assert_eq!(judgement, before);
    }
}
