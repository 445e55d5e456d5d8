//! Finds the Kubernetes user and groups of a principal and what maps it, or why it is not mapped. Pure.
//! Source: `pkg/server/server.go`, `doMapping` and `renderTemplates`; `pkg/mapper/configmap/mapper.go`, `Map`.

use super::aws_auth::{AwsAuth, Line, Place};
use super::entries::Entry;
use super::principal::{Kind, Principal};

/// What names the principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum By {
    Line(Place),
    /// A line of mapAccounts.
    Account(Place),
    /// The ARN of the access entry.
    Entry(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapped {
    pub(crate) by: By,
    pub(crate) username: String,
    pub(crate) groups: Vec<String>,
    /// What is unusual about it.
    pub(crate) remarks: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Mapped(Mapped),
    /// Something names the principal, but EKS refuses it anyway. Then nothing else is considered.
    Refused {
        by: By,
        why: String,
    },
    NotMapped,
}

impl Outcome {
    /// Adds why EKS may decide otherwise.
    fn unless(mut self, doubt: Option<String>) -> Self {
        match (&mut self, doubt) {
            (Self::Mapped(mapped), Some(doubt)) => mapped.remarks.push(doubt),
            (Self::Refused { why, .. }, Some(doubt)) => *why = format!("{why}; {doubt}"),
            _ => {}
        }
        self
    }
}

/// EKS reserves user names with these prefixes. It refuses `system:` only when an entry is created; lines for nodes have it.
const RESERVED: &[&str] = &["eks:", "aws:", "amazon:", "iam:"];

/// Access entries take precedence, then roles, users and accounts of aws-auth.
pub(crate) fn evaluate(
    principal: &Principal,
    auth: Option<&AwsAuth>,
    entries: Option<&[Entry]>,
    role_created: Option<i64>,
) -> Outcome {
    let mut named = entries.unwrap_or_default().iter().filter(|entry| names(entry, principal));
    if let Some(entry) = named.next() {
        // The ARN of a session does not tell which of them is of today's role.
        let other = named.find(|other| !same(&other.arn, &entry.arn));
        let ambiguous = other.map(|other| {
            format!("{} is an entry for this name too: EKS decides by the role's unique id, --role=FILE tells which it is", other.arn)
        });
        let by = By::Entry(entry.arn.clone());
        let created = entry.created().zip(role_created);
        if created.is_some_and(|(entry, role)| entry < role) {
            let why = "the entry is older than the role: it belongs to a former role of that name".to_owned();
            return Outcome::Refused { by, why };
        }
        let default = match &principal.kind {
            Kind::Role { name, .. } => format!(
                "arn:{}:sts::{}:assumed-role/{name}/{{{{SessionName}}}}",
                principal.partition, principal.account
            ),
            Kind::User | Kind::Other => principal.canonical.clone(),
        };
        let username = entry.username.as_ref().unwrap_or(&default);
        return rendered(by, username, &entry.groups, &[], principal).unless(ambiguous);
    }
    let Some(auth) = auth else { return Outcome::NotMapped };
    let line = [&auth.roles, &auth.users].into_iter().find_map(|lines| the_line(lines, principal));
    if let Some(line) = line {
        let mut lost = line.lost.clone();
        let is_role = matches!(principal.kind, Kind::Role { .. });
        match line.place.section.as_str() {
            "mapUsers" if is_role => lost.push("a role stands under mapUsers: it maps".to_owned()),
            "mapRoles" if !is_role => lost.push("a user stands under mapRoles: it maps".to_owned()),
            _ => {}
        }
        return rendered(By::Line(line.place.clone()), &line.username, &line.groups, &lost, principal)
            .unless(by_chance(auth, line));
    }
    match auth.accounts.iter().find(|(_, account)| *account == principal.account) {
        Some((place, _)) => Outcome::Mapped(Mapped {
            by: By::Account(place.clone()),
            username: principal.canonical.clone(),
            groups: Vec::new(),
            remarks: vec![
                "an account maps without groups: its user has no rights but by its own name".to_owned(),
            ],
        }),
        None => Outcome::NotMapped,
    }
}

/// Of several lines for the same ARN the last one counts.
fn the_line<'l>(lines: &'l [Line], principal: &Principal) -> Option<&'l Line> {
    lines.iter().rev().find(|line| same(&line.arn, &principal.canonical))
}

/// Roles are kept under their ARN in lower case, users as they are written. So of users there may be several, and EKS takes the one
/// that Go's map has first, which changes from request to request.
fn by_chance(auth: &AwsAuth, line: &Line) -> Option<String> {
    if line.place.section != "mapUsers" {
        return None;
    }
    let other = auth.users.iter().rev().find(|other| other.arn != line.arn && same(&other.arn, &line.arn))?;
    (other.username != line.username || other.groups != line.groups).then(|| {
        format!(
            "line {} has the same ARN in another case: EKS takes one of the two by chance, at each request",
            other.place.line
        )
    })
}

/// Compares without case, like Go's `EqualFold`, for which the long s is an s too.
pub(crate) fn same(one: &str, other: &str) -> bool {
    let folded = |text: &str| text.replace('\u{17f}', "s").to_lowercase();
    one.eq_ignore_ascii_case(other) || folded(one) == folded(other)
}

/// Whether the entry belongs to this principal.
fn names(entry: &Entry, principal: &Principal) -> bool {
    let Ok(theirs) = Principal::parse(&entry.arn) else { return false };
    let paths = (principal.whole(), theirs.whole());
    let same_path = match paths {
        (Some(asked), Some(theirs)) => asked.eq_ignore_ascii_case(&theirs),
        _ => true,
    };
    same_path && principal.is_same_but_path(&theirs)
}

fn rendered(by: By, username: &str, groups: &[String], remarks: &[String], principal: &Principal) -> Outcome {
    let mut remarks = remarks.to_vec();
    let mut render = |template: &String| render(template, principal, &mut remarks);
    let username = match render(&username.to_owned()) {
        Ok(username) => username,
        Err(why) => return Outcome::Refused { by, why: format!("its username: {why}") },
    };
    let groups = match groups.iter().map(render).collect::<Result<Vec<_>, _>>() {
        Ok(groups) => groups,
        Err(why) => return Outcome::Refused { by, why: format!("its groups: {why}") },
    };
    if let Some(reserved) = RESERVED.iter().find(|reserved| username.starts_with(**reserved)) {
        return Outcome::Refused {
            by,
            why: format!("EKS keeps user names that begin with {reserved} to itself"),
        };
    }
    if username.is_empty() {
        remarks.push("its username is empty".to_owned());
    }
    remarks.sort();
    remarks.dedup();
    Outcome::Mapped(Mapped { by, username, groups, remarks })
}

/// Fills in the templates. Unknown values stay as they are.
fn render(template: &str, principal: &Principal, remarks: &mut Vec<String>) -> Result<String, String> {
    if template.contains("{{EC2PrivateDNSName}}") {
        match &principal.session {
            Some(session) if !is_instance(session) => {
                return Err(
                    "{{EC2PrivateDNSName}} needs a session that is named as an instance, and a pod's is not"
                        .to_owned(),
                );
            }
            Some(_) => {}
            None => remarks.push("it maps sessions of EC2 instances only".to_owned()),
        }
    }
    let mut text = template.replace("{{AccountID}}", &principal.account);
    if let Some(session) = &principal.session {
        text = text.replace("{{SessionName}}", &session.replace('@', "-"));
        text = text.replace("{{SessionNameRaw}}", session);
    }
    Ok(text)
}

/// Matches `^i-(\w{8}|\w{17})$`.
fn is_instance(session: &str) -> bool {
    let id = session.strip_prefix("i-").unwrap_or_default();
    matches!(id.len(), 8 | 17) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
