//! The token and its file: times, rotation, kinds, and what was expected of them.
//! Evidence by hand, findings by class.

use super::*;
use crate::catalog::Restart;

fn token(change: impl FnOnce(&mut Token)) -> Evidence {
    let mut evidence = healthy();
    change(evidence.token.as_mut().unwrap());
    if let Some(issued) = evidence.token.as_ref().and_then(|token| token.iat) {
        evidence.token_file.as_mut().unwrap().data_link = Some(directory(issued));
    }
    evidence
}

#[test]
fn a_layout_that_could_not_be_seen_is_no_copy() {
    let mut evidence = healthy();
    evidence.token_file.as_mut().unwrap().data_link = None;
    assert_eq!(classes(&evidence), [Class::TokenFileFrozen]);
    evidence.token_file.as_mut().unwrap().data_link_error = Some("EMFILE".to_owned());
    assert_eq!(classes(&evidence), []);
}

#[test]
fn times_are_held_against_the_given_clock_to_the_second() {
    let expired = |expiry| classes(&token(|token| token.exp = Some(expiry)));
    assert_eq!(expired(NOW), [Class::TokenExpired]);
    assert_eq!(expired(NOW + 1), []);
    let begins = |begin| classes(&token(|token| token.nbf = Some(begin)));
    assert_eq!(begins(NOW + 1), [Class::TokenNotYetValid]);
    assert_eq!(begins(NOW), []);
    let issued = |at| classes(&token(|token| token.iat = Some(at)));
    assert_eq!(issued(NOW + 61), [Class::ClockSkew]);
    assert_eq!(issued(NOW + 60), []);
}

#[test]
fn a_token_is_stale_when_kubelet_should_have_rotated_it() {
    let aged = |age: i64, life: i64| {
        let mut evidence = token(|token| {
            token.iat = Some(NOW - age);
            token.nbf = token.iat;
            token.exp = Some(NOW - age + life);
        });
        let projected = classes(&evidence);
        evidence.token.as_mut().unwrap().pod_uid = None;
        evidence.token_file.as_mut().unwrap().data_link = None;
        assert!(!classes(&evidence).contains(&Class::TokenFileStale), "nobody rotates a file made by hand");
        projected
    };
    assert_eq!(aged(69_120 + 301, 86_400), [Class::TokenFileStale]);
    assert_eq!(aged(69_120 + 299, 86_400), []);
    assert_eq!(aged(86_400 + 301, 31_536_000), [Class::TokenFileStale]);
    assert_eq!(aged(480 + 301, 600).last(), Some(&Class::TokenFileStale));
}

#[test]
fn a_file_that_kubelet_does_not_rotate_is_frozen() {
    let mut evidence = healthy();
    let file = evidence.token_file.as_mut().unwrap();
    file.file_mount = Some(Mount {
        point: file.path.clone(),
        root: "/..2025/token".to_owned(),
        file_system: "tmpfs".to_owned(),
    });
    assert_eq!(classes(&evidence), [Class::TokenFileFrozen]);
    let mut copied = healthy();
    copied.token_file.as_mut().unwrap().data_link = None;
    assert_eq!(classes(&copied), [Class::TokenFileFrozen]);
    copied.token.as_mut().unwrap().pod_uid = None;
    assert_eq!(classes(&copied), [], "a token that was not made for a pod");
}

#[test]
fn each_kind_of_foreign_token_is_told() {
    for (change, class) in [
        (
            Box::new(|token: &mut Token| token.iss = Some("kubernetes/serviceaccount".to_owned()))
                as Box<dyn FnOnce(&mut Token)>,
            Class::TokenKindWrong,
        ),
        (
            Box::new(|token: &mut Token| token.aud = vec!["pods.eks.amazonaws.com".to_owned()]),
            Class::TokenKindWrong,
        ),
        (Box::new(|token: &mut Token| token.warnafter = Some(NOW)), Class::TokenKindWrong),
        (Box::new(|token: &mut Token| token.alg = Some("none".to_owned())), Class::TokenMalformed),
        (Box::new(|token: &mut Token| token.aud.clear()), Class::TokenMalformed),
    ] {
        assert_eq!(classes(&token(change)), [class]);
    }
    let mut evidence = healthy();
    evidence.process.pod_uid = Some("uid-2".to_owned());
    assert_eq!(classes(&evidence), [Class::TokenForeign]);
}

#[test]
fn expectations_are_held_against_the_claims() {
    let expect = |change: fn(&mut crate::options::Options)| {
        let mut evidence = healthy();
        change(&mut evidence.environment.options);
        classes(&evidence)
    };
    assert_eq!(expect(|stated| stated.expect_subject = "shop/checkout".parse().ok()), []);
    assert_eq!(expect(|stated| stated.expect_subject = "shop/other".parse().ok()), [Class::SubjectMismatch]);
    assert_eq!(expect(|stated| stated.expect_issuer = Some("https://oidc.eks.eu-west-1.*".to_owned())), []);
    assert_eq!(
        expect(|stated| stated.expect_issuer = Some("https://oidc.eks.eu-west-1.".to_owned())),
        [Class::IssuerMismatch]
    );
    assert_eq!(expect(|stated| stated.expect_audience = Some("other".to_owned())), [Class::AudienceMismatch]);
    assert_eq!(
        expect(|stated| stated.expect_role = Some("arn:aws:iam::814203749616:role/x".to_owned())),
        [Class::RoleUnexpected]
    );
}

#[test]
fn a_guess_explains_a_refusal_and_makes_none() {
    let generic =
        refused(400, "InvalidIdentityToken", "The web identity token provided could not be validated.");
    let mut unusual = generic.clone();
    unusual.token.as_mut().unwrap().aud = vec!["sts.amazon.com".to_owned()];
    assert_eq!(classes(&unusual), [Class::AudienceMismatch, Class::TokenRejected]);
    let mut issued = accepted();
    issued.token.as_mut().unwrap().aud = vec!["sts.amazon.com".to_owned()];
    assert_eq!(classes(&issued), [], "what the issuer of the credentials accepted is good");
    let mut several = generic;
    several.token.as_mut().unwrap().aud.push("second".to_owned());
    assert!(one(&several).summary.contains("several audiences"));
}

/// Kubelet keeps a token that is not yet valid, and only another pod gets another one; within the tolerance it passes.
#[test]
fn a_token_from_the_future_needs_another_pod_beyond_five_minutes() {
    for (ahead, new_pod) in [(60, false), (300, false), (301, true), (3_600, true)] {
        let mut evidence = refused(400, "InvalidIdentityToken", "not valid");
        let token = evidence.token.as_mut().unwrap();
        (token.iat, token.nbf) = (Some(NOW + ahead), Some(NOW + ahead));
        let found = findings(&evidence, NOW);
        let finding = found.iter().find(|it| it.class == Class::TokenNotYetValid).unwrap();
        assert_eq!((finding.restart == Restart::Pod, finding.transient), (new_pod, !new_pod), "{ahead}");
    }
}
