//! An IAM principal: its ARN, and the form that the authenticator compares. Pure.
//! Source: aws-iam-authenticator, `pkg/arn/arn.go`, `Canonicalize`.

/// An IAM principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Principal {
    pub(crate) partition: String,
    pub(crate) account: String,
    pub(crate) kind: Kind,
    /// What a line of aws-auth must name. For a role it is the ARN without the path, for a session that of its role.
    pub(crate) canonical: String,
    /// The session's name; `None`: not known.
    pub(crate) session: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Role {
        name: String,
        /// With its slashes; `/` if there is none. `None`: a session's ARN does not contain it.
        path: Option<String>,
    },
    User,
    /// The account itself, or a federated user.
    Other,
}

/// From `pkg/endpoints/partitions.go`.
const PARTITIONS: &[&str] =
    &["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"];

impl Principal {
    /// Parses an ARN as the authenticator does.
    ///
    /// # Errors
    /// The ARN is not that of a principal.
    pub(crate) fn parse(arn: &str) -> Result<Self, String> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", partition, service, _, account, resource] = parts[..] else {
            return Err("it is not an ARN, which is arn:aws:iam::ACCOUNT:role/NAME".to_owned());
        };
        if !PARTITIONS.contains(&partition) {
            return Err("EKS knows no such partition".to_owned());
        }
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("the account is not twelve digits".to_owned());
        }
        let iam = |resource: &str| format!("arn:{partition}:iam::{account}:{resource}");
        let (kind, canonical, session) = match (service, resource.split_once('/')) {
            ("sts", Some(("assumed-role", rest))) => {
                let (name, session) = rest
                    .rsplit_once('/')
                    .filter(|(name, session)| !name.is_empty() && !session.is_empty())
                    .ok_or("assumed-role/ROLE/SESSION has three parts")?;
                let role = Kind::Role { name: name.to_owned(), path: None };
                (role, iam(&format!("role/{name}")), Some(session.to_owned()))
            }
            ("sts", Some(("federated-user", _))) => (Kind::Other, arn.to_owned(), Some(String::new())),
            ("iam", Some(("role", rest))) if !rest.ends_with('/') && !rest.is_empty() => {
                let (path, name) = rest.rsplit_once('/').unwrap_or(("", rest));
                let path = if path.is_empty() { "/".to_owned() } else { format!("/{path}/") };
                let role = Kind::Role { name: name.to_owned(), path: Some(path) };
                (role, iam(&format!("role/{name}")), None)
            }
            ("iam", Some(("user", _))) => (Kind::User, arn.to_owned(), Some(String::new())),
            ("iam", None) if resource == "root" => (Kind::Other, arn.to_owned(), Some(String::new())),
            _ => return Err("a principal is a role, a session of a role, or a user".to_owned()),
        };
        Ok(Self { partition: partition.to_owned(), account: account.to_owned(), kind, canonical, session })
    }

    /// The whole ARN, as an access entry has it. `None`: a session's ARN does not contain the path of its role.
    pub(crate) fn whole(&self) -> Option<String> {
        match &self.kind {
            Kind::Role { name, path: Some(path) } => {
                Some(format!("arn:{}:iam::{}:role{path}{name}", self.partition, self.account))
            }
            Kind::Role { path: None, .. } => None,
            Kind::User | Kind::Other => Some(self.canonical.clone()),
        }
    }

    /// `role checkout-reader`, `user bob`.
    pub(crate) fn title(&self) -> String {
        match &self.kind {
            Kind::Role { name, .. } => format!("role {name}"),
            Kind::User => format!("user {}", self.canonical.rsplit('/').next().unwrap_or_default()),
            Kind::Other => self.canonical.clone(),
        }
    }

    /// Whether both are the same role or user. In an account a role's name is unique, whatever its path.
    pub(crate) fn is_same_but_path(&self, other: &Self) -> bool {
        self.canonical.eq_ignore_ascii_case(&other.canonical)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_its_role_and_a_role_has_no_path() {
        for (arn, canonical, whole) in [
            ("arn:aws:sts::814203749616:assumed-role/app/i-1", "arn:aws:iam::814203749616:role/app", None),
            (
                "arn:aws-cn:iam::814203749616:role/a/b/app",
                "arn:aws-cn:iam::814203749616:role/app",
                Some("arn:aws-cn:iam::814203749616:role/a/b/app"),
            ),
            (
                "arn:aws:iam::814203749616:user/team/bob",
                "arn:aws:iam::814203749616:user/team/bob",
                Some("arn:aws:iam::814203749616:user/team/bob"),
            ),
            (
                "arn:aws:iam::814203749616:root",
                "arn:aws:iam::814203749616:root",
                Some("arn:aws:iam::814203749616:root"),
            ),
        ] {
            let principal = Principal::parse(arn).unwrap();
            assert_eq!(
                (principal.canonical.as_str(), principal.whole().as_deref()),
                (canonical, whole),
                "{arn}"
            );
        }
        for arn in [
            "",
            "checkout",
            "arn:aws:s3:::a",
            "arn:azure:iam::814203749616:role/a",
            "arn:aws:iam::1:role/a",
            "arn:aws:sts::814203749616:assumed-role/app",
            "arn:aws:iam::814203749616:group/a",
            "arn:aws:iam::814203749616:role/",
        ] {
            assert!(Principal::parse(arn).is_err(), "{arn}");
        }
    }
}
