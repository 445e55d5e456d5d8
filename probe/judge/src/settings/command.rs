//! Commands to paste. A value from outside enters one only as a name of its kind, so that no value can be an option or a file. Pure.
//! `Word` is the only way in: it is a literal of the source, or a value that one of its constructors has checked.

mod kinds;
#[cfg(test)]
mod tests;

use crate::settings::arn::{self, RoleArn};
use kinds::{has_odd_part, is_audience, is_label, is_partition, is_plain, is_role, is_role_name, is_url};
use std::net::IpAddr;

/// One word of a command. A value that is not a name of its kind makes the whole command `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word(Option<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// Already a word of the shell: a variable, or the output of another command.
    Shell(String),
}

/// The words of a command: literals and checked values.
macro_rules! words {
    ($($word:expr),* $(,)?) => { &[$($crate::settings::command::Word::from($word)),*][..] };
}
pub(crate) use words;

/// Programs that the users of every cluster have. `aws` is not among them: see [`Aws`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tool {
    Credprobe,
    Jq,
    Kubectl,
}

impl Tool {
    /// The command. `None`: one of the words is not a name of its kind.
    #[must_use]
    pub(crate) fn run(self, words: &[Word]) -> Option<String> {
        let program = match self {
            Self::Credprobe => "credprobe",
            Self::Jq => "jq",
            Self::Kubectl => "kubectl",
        };
        line(program, words)
    }
}

/// The right to print commands of the AWS CLI. If another server than AWS's is the endpoint, there is no such right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aws(());

impl Aws {
    /// `None`: STS is another server (`--sts-compatible`), with which AWS's tools cannot talk.
    #[must_use]
    pub(crate) fn unless(compatible: bool) -> Option<Self> {
        (!compatible).then_some(Self(()))
    }

    /// The command. `None`: one of the words is not a name of its kind.
    #[must_use]
    pub(crate) fn run(self, words: &[Word]) -> Option<String> {
        line("aws", words)
    }
}

fn line(program: &str, words: &[Word]) -> Option<String> {
    let mut out = program.to_owned();
    for word in words {
        out.push(' ');
        out.push_str(&word.quoted()?);
    }
    Some(out)
}

impl From<&'static str> for Word {
    fn from(literal: &'static str) -> Self {
        Self(Some(Part::Text(literal.to_owned())))
    }
}

impl From<u32> for Word {
    fn from(number: u32) -> Self {
        Self(Some(Part::Text(number.to_string())))
    }
}

impl From<IpAddr> for Word {
    fn from(address: IpAddr) -> Self {
        Self(Some(Part::Text(address.to_string())))
    }
}

impl From<&Self> for Word {
    fn from(word: &Self) -> Self {
        word.clone()
    }
}

impl Word {
    pub(crate) const NONE: Self = Self(None);

    fn checked(text: &str, holds: bool) -> Self {
        Self(holds.then(|| Part::Text(text.to_owned())))
    }

    /// A DNS-1123 subdomain: pod, node, service account, deployment.
    pub(crate) fn dns(name: &str) -> Self {
        Self::checked(name, name.len() <= 253 && name.split('.').all(is_label))
    }

    /// A DNS-1123 label: namespace, container.
    pub(crate) fn label(name: &str) -> Self {
        Self::checked(name, is_label(name))
    }

    /// A role's name in IAM.
    pub(crate) fn role_name(name: &str) -> Self {
        Self::checked(name, is_role_name(name))
    }

    /// The whole ARN of a role.
    pub(crate) fn role_arn(arn: &str, compatible: bool) -> Self {
        let parsed = RoleArn::parse_for(arn, compatible).ok();
        let path = |role: &RoleArn| role.path.split_terminator('/').skip(1).all(is_role_name);
        Self::checked(arn, parsed.is_some_and(|role| is_role(&role) && path(&role) && arn.len() <= 600))
    }

    /// The ARN of the IAM OIDC provider that `role`'s account has for `issuer`.
    pub(crate) fn provider_arn(role: &RoleArn, issuer: &str) -> Self {
        let https = if issuer.starts_with("https://") { issuer } else { &format!("https://{issuer}") };
        Self::checked(&role.provider_arn(issuer), is_role(role) && is_url(https, &["https://"]))
    }

    /// A partition, as in ARNs.
    pub(crate) fn partition(name: &str) -> Self {
        Self::checked(name, is_partition(name))
    }

    /// The name of a region, by its form.
    pub(crate) fn region(name: &str) -> Self {
        Self::checked(
            name,
            is_label(name) && name.starts_with(|c: char| c.is_ascii_lowercase()) && {
                name.split('-').count() >= 3 && name.ends_with(|c: char| c.is_ascii_digit())
            },
        )
    }

    /// The name of an EKS cluster.
    pub(crate) fn cluster(name: &str) -> Self {
        Self::checked(name, name.len() <= 100 && is_plain(name, b"_-"))
    }

    /// `kind/name` of an object that makes pods.
    pub(crate) fn workload(text: &str) -> Self {
        let holds = text.split_once('/').is_some_and(|(kind, name)| {
            kind.bytes().all(|byte| byte.is_ascii_lowercase()) && Self::dns(name) != Self::NONE
        });
        Self::checked(text, holds)
    }

    /// An AWS account: 12 digits.
    pub(crate) fn account(number: &str) -> Self {
        Self::checked(number, number.len() == 12 && number.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// The subject of a service account's token.
    pub(crate) fn subject(subject: &str) -> Self {
        let account = crate::evidence::Account::of_subject(subject);
        Self::checked(
            subject,
            account.is_some_and(|it| is_label(it.namespace) && Self::dns(it.name) != Self::NONE),
        )
    }

    /// A token's issuer without its scheme, as IAM writes it.
    pub(crate) fn issuer_path(path: &str) -> Self {
        Self::checked(path, is_url(&format!("https://{path}"), &["https://"]))
    }

    /// A token's issuer: a plain https URL.
    pub(crate) fn issuer(url: &str) -> Self {
        Self::checked(url, is_url(url, &["https://"]))
    }

    /// An endpoint: a plain URL without user info, query and fragment.
    pub(crate) fn url(url: &str) -> Self {
        Self::checked(url, is_url(url, &["https://", "http://"]))
    }

    /// A token's audience: a plain https URL or a plain name. The AWS CLI would read a value that begins with `file://` as a file.
    pub(crate) fn audience(name: &str) -> Self {
        Self::checked(name, is_audience(name))
    }

    /// A host, as a name or an address.
    pub(crate) fn host(name: &str) -> Self {
        Self::checked(name, name.len() <= 253 && (is_plain(name, b".-") || name.parse::<IpAddr>().is_ok()))
    }

    /// An absolute path of plain characters without `..`, each part of which a file system accepts (`NAME_MAX`).
    pub(crate) fn path(path: &str) -> Self {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/._+,=-".contains(&byte);
        let plain = path.starts_with('/') && path.bytes().all(allowed) && !has_odd_part(path);
        let short = path.len() <= 1_024 && path.split('/').all(|part| part.len() <= 255);
        Self::checked(path, plain && short)
    }

    /// The value of `NO_PROXY`: names, suffixes, addresses and ranges.
    pub(crate) fn hosts(list: &str) -> Self {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-*:/_[]".contains(&byte);
        let odd = |item: &str| item.starts_with('-') || item.contains("..") || item.contains("//");
        let item = |item: &str| item.len() <= 253 && item.bytes().all(allowed) && !odd(item);
        Self::checked(
            list,
            list.len() <= 4_096
                && list.split(',').map(str::trim_ascii).all(item)
                && !list.contains(['\n', '\r', '\t', '\x0c']),
        )
    }

    /// The name of a variable, in the form of those that this program knows.
    pub(crate) fn variable_name(name: &str) -> Self {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
        Self::checked(name, begins && name.len() <= 64 && name.bytes().all(allowed))
    }

    /// The SHA-1 of a certificate.
    pub(crate) fn sha1(hex: &str) -> Self {
        Self::checked(hex, hex.len() == 40 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
    }

    /// The statement that admits one service account, if provider, audience and subject are names of their kinds.
    pub(crate) fn statement(
        json: &serde_json::Value,
        role: &RoleArn,
        issuer: &str,
        audience: &str,
        subject: &str,
    ) -> Self {
        let subject = Self::subject(subject) != Self::NONE;
        let provider = Self::provider_arn(role, issuer) != Self::NONE;
        Self::checked(&json.to_string(), subject && provider && is_audience(audience))
    }

    /// A policy that allows one action on one resource, in the form in which AWS named them.
    pub(crate) fn permission(action: &str, resource: &str) -> Self {
        let is_action = action.split_once(':').is_some_and(|(service, name)| {
            is_plain(service, b"-") && is_plain(name, b"") && action.len() <= 128
        });
        let is_resource = resource == "*"
            || (resource.starts_with("arn:") && resource.len() <= 1_600 && is_plain(resource, b"/:._*+=@,-"));
        let policy = serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": action, "Resource": resource }],
        });
        Self::checked(&policy.to_string(), is_action && is_resource)
    }

    /// An action, an ARN, or `*`.
    pub(crate) fn grant_part(text: &str) -> Self {
        Self::checked(text, is_grant_part(text))
    }

    /// `"${NAME:?}"`, a variable that an earlier command sets.
    pub(crate) fn variable(name: &'static str) -> Self {
        Self(Some(Part::Shell(format!("\"${{{name}:?}}\""))))
    }

    /// `"${NAME:?is not set}"`, a variable that the reader sets.
    pub(crate) fn open_variable(name: &'static str) -> Self {
        Self(Some(Part::Shell(format!("\"${{{name}:?is not set}}\""))))
    }

    /// `"$(COMMAND)"`
    pub(crate) fn output_of(command: Option<String>) -> Self {
        Self(command.map(|command| Part::Shell(format!("\"$({command})\""))))
    }

    /// The word with a literal before it.
    pub(crate) fn after(self, literal: &'static str) -> Self {
        Self::from(literal).then(self)
    }

    /// The word with a literal after it.
    pub(crate) fn before(self, literal: &'static str) -> Self {
        self.then(literal.into())
    }

    /// The word joined with another one, as one word.
    pub(crate) fn then(self, next: Self) -> Self {
        Self(self.0.zip(next.0).map(|(this, next)| match (this, next) {
            (Part::Text(this), Part::Text(next)) => Part::Text(this + &next),
            (this, next) => Part::Shell(this.quoted() + &next.quoted()),
        }))
    }

    /// The word followed by another one, as two words.
    pub(crate) fn then_word(self, next: Self) -> Self {
        Self(
            self.0
                .zip(next.0)
                .map(|(this, next)| Part::Shell(format!("{} {}", this.quoted(), next.quoted()))),
        )
    }

    /// The text for prose.
    pub(crate) fn text(&self) -> Option<&str> {
        match self.0.as_ref()? {
            Part::Text(text) | Part::Shell(text) => Some(text),
        }
    }

    /// The text for the shell.
    pub(crate) fn quoted(&self) -> Option<String> {
        self.0.as_ref().map(Part::quoted)
    }
}

impl Part {
    fn quoted(&self) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@=,+%".contains(&byte);
        match self {
            Self::Shell(word) => word.clone(),
            Self::Text(text) if !text.is_empty() && text.bytes().all(plain) => text.clone(),
            Self::Text(text) => format!("'{}'", text.replace('\'', r"'\''")),
        }
    }
}

/// Whether the text is an action, or one resource, or the wildcard for an action that has no resources.
fn is_grant_part(text: &str) -> bool {
    let is_word = |word: &str| word.len() <= 128 && is_plain(word, b"-");
    let action = text.split_once(':').is_some_and(|(service, name)| is_word(service) && is_word(name));
    text == "*" || action || arn::is_of_resource(text)
}
