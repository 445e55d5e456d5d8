//! Decides which names in a text may be repeated: nothing that looks like a key, a token or a part of one.
//! The text can be any log, so a secret can only be recognised by its form.

use crate::text::shown;
use std::borrow::Cow;

/// The length, in bytes, from which a piece counts as part of a secret.
const PART: usize = 16;

/// This many changes between words, numbers and signs in one part, and this many words of one or two characters, indicate
/// random text. Names that people and AWS choose have fewer of one or the other: all 18,378 operations of botocore do, and
/// 1 of 2,000 random keys of 40 characters.
const CHANGES: usize = 4;
const SHORT_WORDS: usize = 3;

const NOT_SHOWN: &str = "[not shown]";

/// `name` with `[not shown]` for each run of base64 in it. A sign in the middle of a secret makes two runs of it, so beside
/// one such run no other long one is shown. Ids at the ends of a run, such as the folder of an object, stay.
pub(crate) fn without_secrets(name: &str) -> String {
    let name = shown::value(name);
    let runs = || name.split(|c: char| !is_base64(c));
    if !runs().any(is_secret) {
        return name;
    }
    let mut out = String::with_capacity(name.len());
    for piece in name.split_inclusive(|c: char| !is_base64(c)) {
        let run = piece.trim_end_matches(|c: char| !is_base64(c));
        if run.len() >= PART || is_secret(run) {
            let hidden = |part: &&str| !judged(part).is_empty();
            let before: usize =
                run.split('/').take_while(|part| !hidden(part)).map(|part| part.len() + 1).sum();
            let behind: usize =
                run.rsplit('/').take_while(|part| !hidden(part)).map(|part| part.len() + 1).sum();
            let shown = (before + behind < run.len()).then(|| (&run[..before], &run[run.len() - behind..]));
            let (before, behind) = shown.unwrap_or_default();
            out.push_str(&format!("{before}{NOT_SHOWN}{behind}"));
        } else {
            out.push_str(run);
        }
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

fn is_secret(run: &str) -> bool {
    let mut before = "";
    let parts = run.split('/').filter(|part| {
        let is_zone = std::mem::replace(&mut before, part) == "hostedzone"
            && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        !is_zone
    });
    let judged: Vec<&str> = parts.map(judged).filter(|part| !part.is_empty()).collect();
    let text = judged.join("/");
    let words = words(text.as_bytes());
    (PART..=text.len()).any(|end| {
        let part = end - PART..end;
        let short =
            words.iter().filter(|(start, end)| part.start <= *start && *end <= part.end && end - start <= 2);
        changes(&text.as_bytes()[part.clone()]) >= CHANGES && short.count() >= SHORT_WORDS
    })
}

/// What of a path's part may be a piece of a secret. Nothing of AWS's own ids, which are short or hexadecimal. IAM Identity
/// Center and the CDK put hexadecimal digits behind a name.
fn judged(part: &str) -> &str {
    let is_lower_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_upper_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
    let is_lower = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    // CloudFormation's, behind each name that it makes.
    let is_upper = |text: &str| text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let is_suffix = matches!(part.len(), 12 | 13) && is_upper(part);
    if is_lower_hex(part) || is_upper_hex(part) || is_suffix || (part.len() <= 12 && is_lower(part)) {
        return "";
    }
    let permission_set = part.strip_prefix("AWSReservedSSO_").and_then(|name| name.rsplit_once('_'));
    if let Some((name, _)) = permission_set.filter(|(_, id)| id.len() == 16 && is_lower_hex(id)) {
        return name;
    }
    let digits = part.len().checked_sub(8).and_then(|at| part.split_at_checked(at));
    digits.filter(|(_, digits)| is_upper_hex(digits)).map_or(part, |(name, _)| name)
}

/// What a byte is: a lower-case letter, a capital, a digit, a separator or another sign.
const fn kind(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        b'/' | b'_' => 3,
        _ => 4,
    }
}

/// How often a word, a number or a sign ends within the part. `AccessDenied` ends once.
fn changes(part: &[u8]) -> usize {
    let ends = |pair: &[u8]| match (kind(pair[0]), kind(pair[1])) {
        (1, 0) => false,
        (one, next) => one != next && one != 3 && next != 3,
    };
    part.windows(2).filter(|pair| ends(pair)).count()
}

/// Where each word begins and ends: `DB` and `Clusters` in `DBClusters`. `S3`, `EC2` and `V2` are words with their digit.
fn words(text: &[u8]) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    let mut start = 0;
    for at in 1..=text.len() {
        let ends = text.get(at).is_none_or(|next| match (kind(text[at - 1]), kind(*next)) {
            (1, 0) => false,
            (1, 1) => text.get(at + 1).is_some_and(u8::is_ascii_lowercase),
            (1, 2) => !matches!(&text[at - 1..=at], b"S3" | b"C2" | [b'V', _]),
            (one, next) => one != next,
        });
        if ends {
            if kind(text[start]) != 3 {
                out.push((start, at));
            }
            start = at;
        }
    }
    out
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
            "arn:aws:sts::1:assumed-role/metabase-service-prod-TaskRole30FC0FBB-R2HVOCHLUUGP/a499929205b74b0ca2e3f65456e66625",
            "arn:aws:sts::1:assumed-role/MyStack-ServiceTaskDefTaskRole8B5F35C4-1QXK9Z2M3L4N5/1700000000",
            "arn:aws:sts::1:assumed-role/Prod-EksClusterCheckoutSARoleA1B2C3D4-Xy12Zab34Cd5/1700000000",
            "arn:aws:sts::1:assumed-role/Karpenter-KarpenterEksClu-HandlerServiceRoleFCDC14-1E2S2B6XVZBLW/Karpenter-KarpenterEksCluster73357-Handler886CB40B-1FCztK9eeCEe",
            "arn:aws:sts::1:assumed-role/AWSReservedSSO_AI4DevUserAccess_8d0a03f0e739791c/elad.swisa@gong.io",
            "arn:aws:sts::1:assumed-role/CheckoutS3ReaderV2/1700000000",
            "arn:aws:route53:::hostedzone/Z02067303BNM3QIK0WKXX",
            "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3",
        ] {
            assert_eq!(without_secrets(name), name);
        }
    }

    #[test]
    fn operations_of_aws_stay() {
        for action in include_str!("secrets/actions.txt").lines() {
            assert_eq!(without_secrets(action), action);
        }
    }

    #[test]
    fn a_random_part_does_not_hide_the_folder() {
        assert_eq!(
            without_secrets("arn:aws:s3:::exercism-v3-attachments/raqwg7iryspy8bdw2s9am95cbqj3/a"),
            "arn:aws:s3:::exercism-v3-attachments/[not shown]/a"
        );
        assert_eq!(
            without_secrets(
                "arn:aws:sts::1:assumed-role/AWSReservedSSO_wJalrXUtnFEMIK7MDENGbPxRfiCYSANDBOXKEY12_8d0a03f0e739791c/elad"
            ),
            "arn:aws:sts::1:assumed-role/[not shown]/elad"
        );
    }
}
