//! Each rule of the authenticator with a map of its own, and the user that results.
//! The expectations were written by hand from the authenticator's source; nothing here asks another implementation.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::evaluate;
use crate::scenario::eks::{Mode, User};

const SESSION: &str = "arn:aws:sts::814203749616:assumed-role/checkout-reader/checkout-7d9c";
const NODE: &str = "arn:aws:sts::814203749616:assumed-role/node/i-0123456789abcdef0";
const MAIL: &str = "arn:aws:sts::814203749616:assumed-role/checkout-reader/alice@example.com";
const BOB: &str = "arn:aws:iam::814203749616:user/team/bob";
const ROOT: &str = "arn:aws:iam::814203749616:root";
const LINE: &str =
    "- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  username: checkout\n  groups:\n  - shop\n";
const NOBODY: Option<(&str, &[&str])> = None;

/// The rule, sections by key, the principal, the expected user.
type Row = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    Option<(&'static str, &'static [&'static str])>,
);

fn user(expected: Option<(&str, &[&str])>) -> Option<User> {
    let (username, groups) = expected?;
    Some(User { username: username.into(), groups: groups.iter().map(|group| (*group).to_owned()).collect() })
}

fn data(sections: &[(&str, &str)]) -> BTreeMap<String, String> {
    sections.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
}

const CHECKOUT: Option<(&str, &[&str])> = Some(("checkout", &["shop"]));

const ROWS: &[Row] = &[
    ("a session is its role", &[("mapRoles", LINE)], SESSION, CHECKOUT),
    ("a session is its role, whatever else it is called", &[("mapRoles", LINE)], MAIL, CHECKOUT),
    ("another role is another", &[("mapRoles", LINE)], NODE, NOBODY),
    ("no ConfigMap, nobody", &[], SESSION, NOBODY),
    (
        "a line with the role's path never matches",
        &[(
            "mapRoles",
            "- rolearn: arn:aws:iam::814203749616:role/team/checkout-reader\n  username: checkout\n",
        )],
        SESSION,
        NOBODY,
    ),
    (
        "a line with the session's ARN never matches",
        &[(
            "mapRoles",
            "- rolearn: arn:aws:sts::814203749616:assumed-role/checkout-reader/checkout-7d9c\n  username: checkout\n",
        )],
        SESSION,
        NOBODY,
    ),
    (
        "another account is another principal",
        &[("mapRoles", "- rolearn: arn:aws:iam::111122223333:role/checkout-reader\n  username: checkout\n")],
        SESSION,
        NOBODY,
    ),
    (
        "another partition is another principal",
        &[(
            "mapRoles",
            "- rolearn: arn:aws-cn:iam::814203749616:role/checkout-reader\n  username: checkout\n",
        )],
        SESSION,
        NOBODY,
    ),
    (
        "case does not count in ARNs",
        &[("mapRoles", "- rolearn: ARN:AWS:IAM::814203749616:ROLE/Checkout-READER\n  username: Checkout\n")],
        SESSION,
        Some(("Checkout", &[])),
    ),
    (
        "case does not count in keys of a line",
        &[(
            "mapRoles",
            "- roleARN: arn:aws:iam::814203749616:role/checkout-reader\n  UserName: checkout\n  gRoUpS: [shop]\n",
        )],
        SESSION,
        CHECKOUT,
    ),
    ("case counts in keys of the ConfigMap", &[("maproles", LINE), ("MapRoles", LINE)], SESSION, NOBODY),
    (
        "wildcards are not known",
        &[("mapRoles", "- rolearn: arn:aws:iam::814203749616:role/*\n  username: checkout\n")],
        SESSION,
        NOBODY,
    ),
    (
        "a space that quotes keep is part of the ARN",
        &[(
            "mapRoles",
            "- rolearn: 'arn:aws:iam::814203749616:role/checkout-reader '\n  username: checkout\n",
        )],
        SESSION,
        NOBODY,
    ),
    (
        "of duplicates the last wins",
        &[(
            "mapRoles",
            "- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  username: first\n- rolearn: arn:aws:iam::814203749616:role/Checkout-Reader\n  username: last\n",
        )],
        SESSION,
        Some(("last", &[])),
    ),
    (
        "a duplicate without an ARN is dropped and wins nothing",
        &[(
            "mapRoles",
            "- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  username: first\n- username: last\n",
        )],
        SESSION,
        Some(("first", &[])),
    ),
    (
        "a misspelt rolearn drops its line, and its line alone",
        &[(
            "mapRoles",
            "- role_arn: arn:aws:iam::814203749616:role/checkout-reader\n  username: lost\n- rolearn: arn:aws:iam::814203749616:role/node\n  username: node\n",
        )],
        NODE,
        Some(("node", &[])),
    ),
    (
        "userarn under mapRoles is no rolearn",
        &[("mapRoles", "- userarn: arn:aws:iam::814203749616:role/checkout-reader\n  username: checkout\n")],
        SESSION,
        NOBODY,
    ),
    (
        "a line without a username makes somebody without a name",
        &[("mapRoles", "- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  groups: [shop]\n")],
        SESSION,
        Some(("", &["shop"])),
    ),
    (
        "a misspelt groups is no groups",
        &[(
            "mapRoles",
            "- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  username: checkout\n  group: [shop]\n",
        )],
        SESSION,
        Some(("checkout", &[])),
    ),
    (
        "groups that are no list are no groups",
        &[(
            "mapRoles",
            "- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  username: checkout\n  groups: shop\n",
        )],
        SESSION,
        Some(("checkout", &[])),
    ),
    (
        "a number is no name",
        &[("mapRoles", "- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  username: 12345\n")],
        SESSION,
        Some(("", &[])),
    ),
    (
        "a number in quotes is a name",
        &[("mapRoles", "- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  username: \"12345\"\n")],
        SESSION,
        Some(("12345", &[])),
    ),
    (
        "a space out of place makes one group of two",
        &[(
            "mapRoles",
            "- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  username: checkout\n  groups:\n    - system:bootstrappers\n     - system:nodes\n",
        )],
        SESSION,
        Some(("checkout", &["system:bootstrappers - system:nodes"])),
    ),
    (
        "a key twice: the later one",
        &[(
            "mapRoles",
            "- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  username: former\n  username: later\n",
        )],
        SESSION,
        Some(("later", &[])),
    ),
    (
        "sso beside rolearn drops the line",
        &[(
            "mapRoles",
            "- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  username: checkout\n  sso: {permissionSetName: a, accountID: '814203749616'}\n",
        )],
        SESSION,
        NOBODY,
    ),
    (
        "a tab breaks its section",
        &[("mapRoles", "- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n\tusername: checkout\n")],
        SESSION,
        NOBODY,
    ),
    (
        "what is broken below breaks what is above",
        &[(
            "mapRoles",
            "- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  username: checkout\n- \"\n",
        )],
        SESSION,
        NOBODY,
    ),
    (
        "a template without quotes breaks its section",
        &[(
            "mapRoles",
            "- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  username: {{SessionName}}\n",
        )],
        SESSION,
        NOBODY,
    ),
    (
        "a broken section leaves the others",
        &[
            ("mapRoles", "- \"\n"),
            (
                "mapUsers",
                "- userarn: arn:aws:iam::814203749616:role/checkout-reader\n  username: checkout\n  groups: [shop]\n",
            ),
        ],
        SESSION,
        CHECKOUT,
    ),
    (
        "a section that is a mapping has no lines",
        &[("mapRoles", "rolearn: arn:aws:iam::814203749616:role/checkout-reader\nusername: checkout\n")],
        SESSION,
        NOBODY,
    ),
    (
        "items that are no mappings are dropped alone",
        &[(
            "mapRoles",
            "- text\n-\n- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  username: checkout\n  groups: [shop]\n",
        )],
        SESSION,
        CHECKOUT,
    ),
    ("two quotes are an empty section", &[("mapRoles", "\"\"\n"), ("mapAccounts", "''")], SESSION, NOBODY),
    (
        "the first document counts",
        &[(
            "mapRoles",
            "---\n- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  username: checkout\n  groups: [shop]\n---\n- other\n",
        )],
        SESSION,
        CHECKOUT,
    ),
    (
        "a role under mapUsers is mapped",
        &[(
            "mapUsers",
            "- userarn: arn:aws:iam::814203749616:role/checkout-reader\n  username: checkout\n  groups: [shop]\n",
        )],
        SESSION,
        CHECKOUT,
    ),
    (
        "a user under mapRoles is mapped",
        &[("mapRoles", "- rolearn: arn:aws:iam::814203749616:user/team/bob\n  username: bob\n")],
        BOB,
        Some(("bob", &[])),
    ),
    (
        "roles come before users",
        &[
            ("mapUsers", "- userarn: arn:aws:iam::814203749616:role/checkout-reader\n  username: of-users\n"),
            ("mapRoles", LINE),
        ],
        SESSION,
        CHECKOUT,
    ),
    (
        "a user's ARN keeps its path",
        &[("mapUsers", "- userarn: arn:aws:iam::814203749616:user/bob\n  username: bob\n")],
        BOB,
        NOBODY,
    ),
    (
        "the account's root can be mapped",
        &[("mapUsers", "- userarn: arn:aws:iam::814203749616:root\n  username: owner\n")],
        ROOT,
        Some(("owner", &[])),
    ),
    (
        "root stands for nobody else",
        &[("mapRoles", "- rolearn: arn:aws:iam::814203749616:root\n  username: owner\n")],
        SESSION,
        NOBODY,
    ),
    (
        "an account maps everybody, by the canonical ARN",
        &[("mapAccounts", "- 814203749616\n")],
        SESSION,
        Some(("arn:aws:iam::814203749616:role/checkout-reader", &[])),
    ),
    ("an account in quotes is the same", &[("mapAccounts", "- \"814203749616\"\n")], BOB, Some((BOB, &[]))),
    ("another account maps nobody", &[("mapAccounts", "- 111122223333\n")], SESSION, NOBODY),
    ("an account that is no list maps nobody", &[("mapAccounts", "814203749616\n")], SESSION, NOBODY),
    (
        "lines come before accounts",
        &[("mapRoles", LINE), ("mapAccounts", "- 814203749616\n")],
        SESSION,
        CHECKOUT,
    ),
    (
        "a broken line leaves the account",
        &[("mapRoles", "- {\n"), ("mapAccounts", "- 814203749616\n")],
        NODE,
        Some(("arn:aws:iam::814203749616:role/node", &[])),
    ),
    (
        "SessionName has no at sign, SessionNameRaw has",
        &[(
            "mapRoles",
            "- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  username: '{{AccountID}}:{{SessionName}}'\n  groups: ['{{SessionNameRaw}}']\n",
        )],
        MAIL,
        Some(("814203749616:alice-example.com", &["alice@example.com"])),
    ),
    (
        "templates of other spelling stay as they are",
        &[(
            "mapRoles",
            "- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  username: '{{ SessionName }}{{sessionname}}{{AccessKeyID}}'\n",
        )],
        SESSION,
        Some(("{{ SessionName }}{{sessionname}}{{AccessKeyID}}", &[])),
    ),
    (
        "a user has no session",
        &[(
            "mapUsers",
            "- userarn: arn:aws:iam::814203749616:user/team/bob\n  username: 'bob{{SessionName}}'\n",
        )],
        BOB,
        Some(("bob", &[])),
    ),
    (
        "an instance's session has a private DNS name",
        &[(
            "mapRoles",
            "- rolearn: arn:aws:iam::814203749616:role/node\n  username: system:node:{{EC2PrivateDNSName}}\n  groups: [system:nodes]\n",
        )],
        NODE,
        Some(("system:node:{{EC2PrivateDNSName}}", &["system:nodes"])),
    ),
    (
        "without an instance's id the template fails, and the account does not help",
        &[
            (
                "mapRoles",
                "- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  username: system:node:{{EC2PrivateDNSName}}\n",
            ),
            ("mapAccounts", "- 814203749616\n"),
        ],
        SESSION,
        NOBODY,
    ),
    (
        "a template among the groups fails too",
        &[(
            "mapRoles",
            "- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  username: checkout\n  groups: ['{{EC2PrivateDNSName}}']\n",
        )],
        SESSION,
        NOBODY,
    ),
    (
        "a reserved prefix is refused, and no later line or account is tried",
        &[
            (
                "mapRoles",
                "- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  username: eks:admin\n",
            ),
            ("mapUsers", "- userarn: arn:aws:iam::814203749616:role/checkout-reader\n  username: checkout\n"),
            ("mapAccounts", "- 814203749616\n"),
        ],
        SESSION,
        NOBODY,
    ),
    (
        "a prefix is reserved in small letters alone",
        &[("mapRoles", "- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  username: EKS:admin\n")],
        SESSION,
        Some(("EKS:admin", &[])),
    ),
    (
        "a prefix that a template makes is a prefix",
        &[(
            "mapRoles",
            "- rolearn: arn:aws:iam::814203749616:role/checkout-reader\n  username: '{{SessionName}}:admin'\n",
        )],
        "arn:aws:sts::814203749616:assumed-role/checkout-reader/iam",
        NOBODY,
    ),
    (
        "what is no principal is nobody",
        &[("mapAccounts", "- 814203749616\n")],
        "arn:aws:s3::814203749616:bucket",
        NOBODY,
    ),
    (
        "an unknown partition is nobody",
        &[("mapAccounts", "- 814203749616\n")],
        "arn:gcp:iam::814203749616:role/checkout-reader",
        NOBODY,
    ),
    (
        "a session without a role is nobody",
        &[("mapAccounts", "- 814203749616\n")],
        "arn:aws:sts::814203749616:assumed-role/checkout-reader",
        NOBODY,
    ),
];

#[test]
fn each_rule_of_the_config_map_holds() {
    for (rule, sections, arn, expected) in ROWS {
        let got = evaluate(&data(sections), &[], Mode::ConfigMap, arn);
        assert_eq!(got, user(*expected), "{rule}");
    }
}

fn entry(arn: &str, username: &str) -> Value {
    json!({"accessEntry": {"principalArn": arn, "username": username, "kubernetesGroups": ["of-entry"]}})
}

#[test]
fn each_rule_of_access_entries_holds() {
    let (of_entry, all) =
        (Some(("entry", ["of-entry"].as_slice())), [("mapRoles", LINE), ("mapAccounts", "- 814203749616\n")]);
    let plain = "arn:aws:iam::814203749616:role/checkout-reader";
    let with_path = "arn:aws:iam::814203749616:role/team/eu/checkout-reader";
    let rows = [
        ("an entry comes before a line", plain, "entry", Mode::ApiAndConfigMap, SESSION, of_entry),
        ("an entry names the role with its path", with_path, "entry", Mode::Api, SESSION, of_entry),
        (
            "a line where there is no entry",
            "arn:aws:iam::814203749616:role/x",
            "entry",
            Mode::ApiAndConfigMap,
            SESSION,
            CHECKOUT,
        ),
        (
            "API does not read the ConfigMap",
            "arn:aws:iam::814203749616:role/x",
            "entry",
            Mode::Api,
            SESSION,
            NOBODY,
        ),
        ("CONFIG_MAP does not read entries", plain, "entry", Mode::ConfigMap, SESSION, CHECKOUT),
        (
            "another account's entry",
            "arn:aws:iam::111122223333:role/checkout-reader",
            "entry",
            Mode::Api,
            SESSION,
            NOBODY,
        ),
        ("a user's entry", BOB, "entry", Mode::Api, BOB, of_entry),
        ("a user's path counts", "arn:aws:iam::814203749616:user/bob", "entry", Mode::Api, BOB, NOBODY),
        (
            "a reserved name is refused, and no line is tried",
            plain,
            "aws:x",
            Mode::ApiAndConfigMap,
            SESSION,
            NOBODY,
        ),
        (
            "a template fails, and no line is tried",
            plain,
            "{{EC2PrivateDNSName}}",
            Mode::ApiAndConfigMap,
            SESSION,
            NOBODY,
        ),
        (
            "templates are filled in",
            plain,
            "e:{{SessionName}}",
            Mode::Api,
            MAIL,
            Some(("e:alice-example.com", ["of-entry"].as_slice())),
        ),
    ];
    for (rule, principal, username, mode, arn, expected) in rows {
        let got = evaluate(&data(&all), &[entry(principal, username)], mode, arn);
        assert_eq!(got, user(expected), "{rule}");
        // Also without the wrapper object of the AWS CLI's answer.
        let got = evaluate(&data(&all), &[entry(principal, username)["accessEntry"].clone()], mode, arn);
        assert_eq!(got, user(expected), "{rule}, bare");
    }
}
