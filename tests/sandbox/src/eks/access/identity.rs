//! A principal as the authenticator compares it: the canonical form of its ARN, its account, its session.
//! Written from aws-iam-authenticator's `pkg/arn/arn.go` and `renderTemplate` of `pkg/server/server.go`.

const PARTITIONS: [&str; 8] =
    ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"];
const PRIVATE_DNS: &str = "{{EC2PrivateDNSName}}";

pub(super) struct Identity {
    /// As given but for roles: `arn:P:iam::A:role/NAME`, without path and session.
    pub(super) canonical: String,
    pub(super) account: String,
    /// As given, of a role itself: with its path.
    whole: Option<String>,
    /// Empty where there is none.
    session: String,
}

impl Identity {
    /// `None`: nothing that the authenticator takes for a principal.
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

    /// Case does not count.
    pub(super) fn is(&self, arn: &str) -> bool {
        self.canonical.eq_ignore_ascii_case(arn)
    }

    /// Is it the principal of an access entry, which has a role's path? A session's ARN has none, so there the name decides.
    pub(super) fn has_entry(&self, principal: &str) -> bool {
        match &self.whole {
            Some(whole) => whole.eq_ignore_ascii_case(principal),
            None => Self::of(principal).is_some_and(|of_entry| self.is(&of_entry.canonical)),
        }
    }

    /// `None`: a template has no value for this principal. What only EC2 or the token knows stays as it is.
    pub(super) fn rendered(&self, template: &str) -> Option<String> {
        if template.contains(PRIVATE_DNS) && !self.is_instance() {
            return None;
        }
        let text = template.replace("{{AccountID}}", &self.account);
        let text = text.replace("{{SessionName}}", &self.session.replace('@', "-"));
        Some(text.replace("{{SessionNameRaw}}", &self.session))
    }

    /// `^i-(\w{8}|\w{17})$`
    fn is_instance(&self) -> bool {
        self.session.strip_prefix("i-").is_some_and(|id| {
            matches!(id.len(), 8 | 17) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
    }
}
