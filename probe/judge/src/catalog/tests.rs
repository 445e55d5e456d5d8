//! The table once more, written down independently: ids, codes, owners and attributes are promises.
//! What must hold for the texts is tested beside them.

use super::*;
use Class::*;
use std::collections::BTreeSet;

/// Code, id, owner, flags, explained codes, codes explained only about dates and times.
type Row = (u8, &'static str, &'static str, &'static str, &'static [u8], &'static [u8]);

/// What is promised, row by row.
const CONTRACT: &[Row] = &[
    (0, "ready", "", "", &[], &[]),
    (1, "internal-error", "probe", "", &[], &[]),
    (2, "usage-error", "probe", "", &[], &[]),
    (3, "inconclusive", "probe", "", &[], &[]),
    (10, "not-injected", "pod", "R", &[], &[]),
    (11, "partly-injected", "pod", "R", &[20], &[]),
    (12, "role-arn-malformed", "pod", "R", &[], &[]),
    (13, "region-missing", "pod", "RW", &[40, 48, 50, 55, 59, 71], &[]),
    (14, "partition-mismatch", "pod", "R", &[40, 48, 50, 55, 71], &[]),
    (15, "settings-invalid", "pod", "R", &[40, 44, 48], &[]),
    (16, "shadowed", "pod", "W", &[], &[]),
    (17, "role-unexpected", "pod", "R", &[], &[]),
    (18, "endpoint-differs", "pod", "W", &[], &[]),
    (19, "proxy-captures", "pod", "W", &[42, 45, 80, 81], &[]),
    (20, "token-file-missing", "pod", "R", &[], &[]),
    (21, "token-file-unreadable", "pod", "R", &[], &[]),
    (22, "token-file-empty", "cluster", "T", &[], &[]),
    (23, "token-file-frozen", "pod", "RW", &[31, 56], &[]),
    (24, "token-file-stale", "cluster", "W", &[31, 56], &[]),
    (25, "token-file-perturbed", "pod", "W", &[21], &[]),
    (26, "token-file-invalid", "pod", "R", &[], &[]),
    (30, "token-malformed", "pod", "R", &[], &[]),
    (36, "token-kind-wrong", "pod", "R", &[30, 31, 33, 34, 35, 37], &[]),
    (37, "token-foreign", "pod", "RW", &[33, 35], &[]),
    (31, "token-expired", "cluster", "", &[56], &[]),
    (32, "token-not-yet-valid", "cluster", "T", &[], &[]),
    (33, "issuer-mismatch", "pod", "R", &[], &[]),
    (34, "audience-mismatch", "pod", "R", &[51, 55, 83], &[]),
    (35, "subject-mismatch", "pod", "R", &[], &[]),
    (38, "signature-invalid", "cluster", "", &[55, 57], &[]),
    (39, "issuer-unusable", "cluster", "", &[55, 57], &[]),
    (72, "clock-skew", "cluster", "W", &[24, 31, 32, 56], &[44, 83]),
    (40, "dns-failed", "network", "T", &[], &[]),
    (48, "name-not-found", "network", "", &[], &[]),
    (41, "connect-refused", "network", "T", &[], &[]),
    (42, "connect-timeout", "network", "T", &[], &[]),
    (43, "unreachable", "network", "T", &[], &[]),
    (44, "tls-failed", "network", "", &[], &[]),
    (45, "proxy-failed", "network", "T", &[], &[]),
    (46, "response-timeout", "network", "T", &[], &[]),
    (49, "connection-broken", "network", "T", &[], &[]),
    (47, "not-sts", "network", "", &[], &[]),
    (50, "provider-missing", "iam", "", &[], &[]),
    (51, "audience-not-registered", "iam", "", &[], &[]),
    (52, "thumbprint-mismatch", "iam", "", &[], &[]),
    (53, "access-denied", "iam", "", &[], &[]),
    (54, "role-arn-rejected", "pod", "R", &[], &[]),
    (55, "token-rejected", "iam", "", &[], &[]),
    (56, "token-expired-at-sts", "cluster", "", &[], &[]),
    (57, "issuer-unavailable", "aws", "T", &[], &[]),
    (58, "claim-rejected", "iam", "", &[], &[]),
    (59, "region-disabled", "iam", "", &[50, 55], &[]),
    (60, "throttled", "aws", "T", &[], &[]),
    (61, "sts-unavailable", "aws", "T", &[], &[]),
    (62, "request-rejected", "pod", "", &[], &[]),
    (63, "sts-unrecognized", "aws", "", &[], &[]),
    (70, "identity-mismatch", "iam", "", &[], &[]),
    (71, "credentials-rejected", "iam", "", &[], &[]),
    (73, "identity-unconfirmed", "network", "W", &[], &[]),
    (80, "agent-unreachable", "cluster", "T", &[], &[]),
    (88, "agent-unsupported", "cluster", "R", &[80], &[]),
    (81, "agent-not-agent", "network", "", &[], &[]),
    (82, "agent-uri-refused", "pod", "R", &[], &[]),
    (83, "agent-token-rejected", "pod", "", &[], &[]),
    (84, "association-missing", "cluster", "", &[], &[]),
    (85, "agent-access-denied", "iam", "", &[], &[]),
    (86, "agent-throttled", "aws", "T", &[], &[]),
    (87, "agent-failed", "aws", "T", &[], &[]),
];

#[test]
fn ids_codes_and_order_are_the_contracts() {
    let table: Vec<(u8, &str)> = Class::all().iter().map(|it| (it.code(), it.id())).collect();
    let contract: Vec<(u8, &str)> = CONTRACT.iter().map(|row| (row.0, row.1)).collect();
    assert_eq!(table, contract);
}

#[test]
fn owners_are_the_contracts() {
    for (class, row) in Class::all().iter().zip(CONTRACT) {
        let owner = class.info().owner.map_or("", Owner::id);
        assert_eq!(owner, row.2, "owner of {class}");
    }
}

#[test]
fn flags_are_the_contracts() {
    for (class, row) in Class::all().iter().zip(CONTRACT) {
        let info = class.info();
        let flags = [(info.transient, 'T'), (info.recreate_pod, 'R'), (info.warning, 'W')];
        let flags: String = flags.into_iter().filter(|(set, _)| *set).map(|(_, c)| c).collect();
        assert_eq!(flags, row.3, "flags of {class}");
    }
}

#[test]
fn what_a_class_explains_is_the_contracts() {
    for (class, row) in Class::all().iter().zip(CONTRACT) {
        for only_about_time in [false, true] {
            let explains = class.info().explains.iter();
            let codes: BTreeSet<u8> = explains
                .filter(|it| it.only_about_time == only_about_time)
                .map(|it| it.class.code())
                .collect();
            let contract = if only_about_time { row.5 } else { row.4 };
            assert_eq!(
                codes,
                contract.iter().copied().collect(),
                "explained by {class}, only_about_time {only_about_time}"
            );
        }
    }
}

#[test]
fn no_class_explains_another_twice() {
    for class in Class::all() {
        let explained: Vec<Class> = class.info().explains.iter().map(|it| it.class).collect();
        let once: BTreeSet<Class> = explained.iter().copied().collect();
        assert_eq!(explained.len(), once.len(), "{class}");
    }
}

#[test]
fn no_class_explains_itself_however_far_around() {
    for start in Class::all() {
        let mut reached = BTreeSet::new();
        let mut next = vec![*start];
        while let Some(class) = next.pop() {
            for it in class.info().explains {
                assert_ne!(it.class, *start, "{start} is explained by {class}");
                if reached.insert(it.class) {
                    next.push(it.class);
                }
            }
        }
    }
}

#[test]
fn no_id_and_no_code_stands_twice() {
    let ids: BTreeSet<&str> = Class::all().iter().map(|class| class.id()).collect();
    let codes: BTreeSet<u8> = Class::all().iter().map(|class| class.code()).collect();
    assert_eq!(ids.len(), Class::all().len());
    assert_eq!(codes.len(), Class::all().len());
}

#[test]
fn every_code_is_below_a_hundred() {
    for class in Class::all() {
        assert!(class.code() < 100, "{class}");
    }
}

#[test]
fn every_row_is_found_by_class_id_and_code() {
    for class in Class::all() {
        assert_eq!(class.info().class, *class);
        assert_eq!(Class::from_id(class.id()), Some(*class));
        assert_eq!(Class::from_code(class.code()), Some(*class));
    }
    assert_eq!(Class::from_id("AccessDenied"), None);
    assert_eq!(Class::from_code(99), None);
}

#[test]
fn the_order_of_classes_is_that_of_the_table() {
    assert!(Class::all().is_sorted());
    assert!(ClockSkew < DnsFailed && NameNotFound < ConnectRefused);
    assert!(TokenKindWrong < TokenExpired && AgentUnsupported < AgentNotAgent);
}

#[test]
fn the_reason_is_the_id_in_camel_case() {
    for class in Class::all() {
        let camel: String = class.id().split('-').map(|part| part[..1].to_uppercase() + &part[1..]).collect();
        assert_eq!(class.reason(), camel);
    }
}

#[test]
fn classes_and_owners_are_written_as_their_ids_in_json() -> serde_json::Result<()> {
    for class in Class::all() {
        let json = serde_json::to_string(class)?;
        assert_eq!(json, format!("{:?}", class.id()));
        assert_eq!(serde_json::from_str::<Class>(&json)?, *class);
    }
    for owner in Owner::ALL {
        let json = serde_json::to_string(&owner)?;
        assert_eq!(json, format!("{:?}", owner.id()));
    }
    assert!(serde_json::from_str::<Class>("\"AccessDenied\"").is_err());
    Ok(())
}

#[test]
fn the_schema_of_a_class_is_an_enumeration_of_the_ids() {
    let schema = schemars::schema_for!(Class);
    let ids: Vec<&str> = Class::all().iter().map(|class| class.id()).collect();
    assert_eq!(schema.get("enum"), Some(&serde_json::json!(ids)));
}
