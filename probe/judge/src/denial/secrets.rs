//! Decides which names in a text may be repeated: nothing that looks like a key, a token or a part of one.
//! The text can be any log, so a secret can only be recognised by its form.

use crate::text::shown;
use std::borrow::Cow;

/// The length, in bytes, from which a piece counts as part of a secret.
const PART: usize = 16;

/// This many changes between words, numbers and signs in one part indicate random text. Names that people choose have fewer.
const CHANGES: usize = 4;

const NOT_SHOWN: &str = "[not shown]";

/// `name` with `[not shown]` for each run of base64 in it. A sign in the middle of a secret makes two runs of it, so beside
/// one such run no other long one is shown.
pub(crate) fn without_secrets(name: &str) -> String {
    let name = shown::value(name);
    let runs = || name.split(|c: char| !is_base64(c));
    if !runs().any(is_secret) {
        return name;
    }
    let mut out = String::with_capacity(name.len());
    for piece in name.split_inclusive(|c: char| !is_base64(c)) {
        let run = piece.trim_end_matches(|c: char| !is_base64(c));
        out.push_str(if run.len() >= PART || is_secret(run) { NOT_SHOWN } else { run });
        out.push_str(&piece[run.len()..]);
    }
    out
}

/// Whether nothing was removed. Otherwise the name must not go into a command.
pub(crate) fn is_whole(name: &str) -> bool {
    !name.contains(NOT_SHOWN) && matches!(shown::document(name), Cow::Borrowed(_))
}

const fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_')
}

fn is_secret(word: &str) -> bool {
    let is_hex = |word: &str| {
        let lower = word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        lower || word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
    };
    // AWS's own ids in a path are short, or hexadecimal.
    let is_id = |part: &str| {
        let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        is_hex(part) || (part.len() <= 12 && part.bytes().all(lower))
    };
    let rest: String = word.split('/').filter(|part| !is_id(part)).collect::<Vec<_>>().join("/");
    rest.as_bytes().windows(PART).any(|part| changes(part) >= CHANGES)
}

/// How often a word, a number or a sign ends within the part. `AccessDenied` ends once.
fn changes(part: &[u8]) -> usize {
    let kind = |byte: u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        b'/' | b'_' => 3,
        _ => 4,
    };
    let ends = |pair: &[u8]| match (kind(pair[0]), kind(pair[1])) {
        (1, 0) => false,
        (one, next) => one != next && one != 3 && next != 3,
    };
    part.windows(2).filter(|pair| ends(pair)).count()
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn what_looks_like_a_key_is_not_said_again() {
        for secret in [
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "wJalrXUtnFEMIK7MDENGbPxRfiCYSANDBOXKEY12",
            "AKIAIOSFODNN7EXAMPLE",
            "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQDx",
            "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhbm90aGVyIiwic3ViIjoib3RoZXIi",
            "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQ",
        ] {
            let said = without_secrets(&format!("arn:aws:s3:::bucket/prefix-{secret}"));
            for part in secret.as_bytes().windows(super::PART) {
                assert!(!said.contains(std::str::from_utf8(part).unwrap()), "{said}");
            }
        }
    }

    #[test]
    fn a_sign_in_the_middle_of_a_key_does_not_show_its_halves() {
        for sign in ["-", " ", "®"] {
            let said = without_secrets(&format!(
                "arn:aws:iam::wJalrXUtnFEMI/K7{sign}MDENG/bPxRfiCYEXAMPLEKEY889999:user/John"
            ));
            assert_eq!(said, format!("arn:aws:iam::[not shown]{sign}[not shown]:user/John"));
        }
    }

    #[test]
    fn names_of_roles_and_resources_stay() {
        for name in [
            "arn:aws:sts::849616654863:assumed-role/eksctl-gara-int-cluster-nodegroup-NodeInstanceRole-19QKQO25WZ3M9/i-0ee6bc34b33c65e12",
            "arn:aws:sts::795986403160:assumed-role/ExternalSecretStore20221107234613050800000003/external-secrets-provider-aws",
            "arn:aws:sts::111122223333:assumed-role/AmazonEKSLoadBalancerControllerRole/1234567890",
            "arn:aws:elasticloadbalancing:ap-northeast-2:1:loadbalancer/app/k8s-istiosys-publictl-2f1c9f320e/6de50f6529fc6c2f",
            "arn:aws:kms:eu-west-2:624384546187:key/b997e702-260d-456b-95c4-270624f53307",
            "arn:aws:organizations::052343574110:policy/o-y3vn941x7j/service_control_policy/p-kfhxcsd9",
            "arn:aws:iam::111122223333:role/team/checkout/checkout-reader",
            "arn:aws:sts::111122223333:assumed-role/MemberInfrastructureAccess/aws-go-sdk-1769108331990631464",
        ] {
            assert_eq!(without_secrets(name), name);
        }
    }
}
