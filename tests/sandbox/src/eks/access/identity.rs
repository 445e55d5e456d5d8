//! A principal as the authenticator compares it: the canonical form of its ARN, its account, its session.
//! Written from aws-iam-authenticator's `pkg/arn/arn.go` and `renderTemplate` of `pkg/server/server.go`.

const PARTITIONS: [&str; 8] =
    ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"];
const PRIVATE_DNS: &str = "{{EC2PrivateDNSName}}";

pub(super) struct Identity {
    /// The ARN as given; for a role or its session `arn:P:iam::A:role/NAME`, without path and session.
    pub(super) canonical: String,
    pub(super) account: String,
    /// For a role itself, the ARN as given: with its path.
    whole: Option<String>,
    /// Empty if there is none.
    session: String,
}

impl Identity {
    /// `None` if the authenticator does not accept the ARN as a principal.
    pub(super) fn of(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let mut part = || parts.next();
        let (begin, partition, service, _region) = (part()?, part()?, part()?, part()?);
        let (account, resource) = (part()?, part()?);
        if begin != "arn" || !PARTITIONS.contains(&partition) {
            return None;
        }
        let words: Vec<&str> = resource.split('/').collect();
        let role = |name: &str| format!("arn:{partition}:iam::{account}:role/{name}");
        let (canonical, session) = match (service, words.as_slice()) {
            ("sts", ["assumed-role", name @ .., session]) if !name.is_empty() => {
                (role(&name.join("/")), *session)
            }
            ("iam", ["role", .., name]) => (role(name), ""),
            ("sts", ["federated-user", ..]) | ("iam", ["user" | "root", ..]) => (arn.into(), ""),
            _ => return None,
        };
        let whole = (service == "iam" && words[0] == "role").then(|| arn.to_owned());
        Some(Self { canonical, account: account.into(), whole, session: session.into() })
    }

    /// Compares without regard to case.
    pub(super) fn is(&self, arn: &str) -> bool {
        self.canonical.eq_ignore_ascii_case(arn)
    }

    /// Whether it is the principal of an access entry. The entry has a role's path. The ARN of a session has none, so for a
    /// session the name decides.
    pub(super) fn has_entry(&self, principal: &str) -> bool {
        match &self.whole {
            Some(whole) => whole.eq_ignore_ascii_case(principal),
            None => Self::of(principal).is_some_and(|of_entry| self.is(&of_entry.canonical)),
        }
    }

    /// `None`: this principal has no value for a template. Placeholders that only EC2 or the token can fill stay as they are.
    pub(super) fn rendered(&self, template: &str) -> Option<String> {
        if template.contains(PRIVATE_DNS) && !self.is_instance() {
            return None;
        }
        let text = template.replace("{{AccountID}}", &self.account);
        let text = text.replace("{{SessionName}}", &self.session.replace('@', "-"));
        Some(text.replace("{{SessionNameRaw}}", &self.session))
    }

    /// Matches `^i-(\w{8}|\w{17})$`.
    fn is_instance(&self) -> bool {
        self.session.strip_prefix("i-").is_some_and(|id| {
            matches!(id.len(), 8 | 17) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
    }
}
