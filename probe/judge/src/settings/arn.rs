//! Role ARNs: their parts, or the first wrong byte and what was probably meant. Pure.
//! The form is the webhook's (`amazon-eks-pod-identity-webhook`, which only logs a malformed ARN and injects it anyway).

/// `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleArn {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: String,
    /// Twelve digits.
    pub account: String,
    /// With its slashes; `/` if there is none.
    pub path: String,
    /// The last part.
    pub name: String,
}

/// Where a value stops being a role ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The offset of the first wrong byte, counted from 0.
    pub offset: usize,
    /// What is wrong there.
    pub problem: String,
    /// The value that was probably meant, if it follows from this one.
    pub intended: Option<String>,
}

impl RoleArn {
    /// Parses a role ARN.
    ///
    /// # Errors
    /// The first byte that a role ARN cannot have there.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        wrapped(text)?;
        template(text, &["${", "{{", "$("])?;
        let mut rest = Cursor { text, offset: 0 };
        if !text.starts_with("arn:") {
            return Err(not_an_arn(text));
        }
        rest.offset = 4;
        let partition = rest.part();
        if !(partition == "aws" || partition.starts_with("aws-"))
            || !partition.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            return Err(rest.malformed("its partition is not one of AWS"));
        }
        rest.skip(partition);
        let service = rest.part();
        if service.is_empty() && text.contains("::iam::") {
            let problem = "one colon too many before iam".to_owned();
            return Err(Malformed {
                offset: rest.offset,
                problem,
                intended: meant(&text.replacen("::", ":", 1)),
            });
        }
        if service != "iam" {
            return Err(other_service(text, rest.offset, service));
        }
        rest.skip(service);
        let region = rest.part();
        if region.len() == 12 && region.bytes().all(|b| b.is_ascii_digit()) {
            let problem = "one colon too few after iam".to_owned();
            return Err(Malformed {
                offset: rest.offset,
                problem,
                intended: meant(&text.replacen(":iam:", ":iam::", 1)),
            });
        }
        if !region.is_empty() {
            return Err(rest.malformed("it has a region, and IAM has none"));
        }
        rest.skip(region);
        let account = rest.part();
        if account.is_empty() && rest.remaining().starts_with(':') {
            let intended = text.replacen(":::", "::", 1);
            let intended = Self::parse(&intended).is_ok().then_some(intended);
            let problem = "one colon too many after iam";
            return Err(Malformed { offset: rest.offset, problem: problem.to_owned(), intended });
        }
        template(text, &["<"]).or_else(|malformed| {
            // A path may have this character.
            if malformed.offset < rest.offset + account.len() { Err(malformed) } else { Ok(()) }
        })?;
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            let foreign = account.bytes().position(|b| !b.is_ascii_digit());
            let offset = rest.offset + foreign.unwrap_or(account.len().min(12));
            let problem = if foreign.is_some() {
                "its account must be 12 digits".to_owned()
            } else {
                format!("its account has {} digits, not 12", account.len())
            };
            return Err(Malformed { offset, problem, intended: None });
        }
        rest.skip(account);
        let (path, name) = resource(text, rest.offset)?;
        Ok(Self { partition: partition.to_owned(), account: account.to_owned(), path, name })
    }

    /// Parses a role ARN. With `compatible`, for servers that speak STS's protocol, other partitions are allowed and the account may be
    /// missing.
    ///
    /// # Errors
    /// The first byte that a role ARN cannot have there.
    pub fn parse_for(text: &str, compatible: bool) -> Result<Self, Malformed> {
        let strict = Self::parse(text);
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        match (&strict, compatible, &parts[..]) {
            (Err(_), true, ["arn", partition, "iam", "", account, _]) if !partition.is_empty() => {
                let (path, name) = resource(text, text.len() - parts[5].len())?;
                Ok(Self { partition: (*partition).to_owned(), account: (*account).to_owned(), path, name })
            }
            _ => strict,
        }
    }

    /// The ARN of the IAM OIDC provider for `issuer` in this role's account and partition.
    #[must_use]
    pub fn provider_arn(&self, issuer: &str) -> String {
        let issuer = issuer.strip_prefix("https://").unwrap_or(issuer);
        format!("arn:{}:iam::{}:oidc-provider/{issuer}", self.partition, self.account)
    }
}

/// Whether the text is the ARN of one resource: no wildcard, no policy variable, and no part that is more than a name.
#[must_use]
pub fn is_of_resource(text: &str) -> bool {
    let is_word = |word: &str| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        word.len() <= 64 && word.bytes().all(allowed)
    };
    let is_region = |word: &str| is_word(word) && !word.starts_with('-');
    let is_name = |name: &str| {
        let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._+=,@-".contains(&byte);
        begins && name.len() <= 255 && name.bytes().all(allowed)
    };
    let mut parts = text.splitn(6, ':');
    let mut next = || parts.next().unwrap_or_default();
    let (arn, partition, service, region, account, resource) =
        (next(), next(), next(), next(), next(), next());
    arn == "arn"
        && text.len() <= 600
        && [partition, service].iter().all(|word| is_region(word) && !word.is_empty())
        && is_region(region)
        && (account.is_empty() || account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()))
        && resource.split(['/', ':']).all(is_name)
}

struct Cursor<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Cursor<'a> {
    fn remaining(&self) -> &'a str {
        &self.text[self.offset..]
    }

    fn part(&self) -> &'a str {
        self.remaining().split(':').next().unwrap_or_default()
    }

    fn skip(&mut self, part: &str) {
        self.offset = (self.offset + part.len() + 1).min(self.text.len());
    }

    fn malformed(&self, problem: &str) -> Malformed {
        Malformed { offset: self.offset, problem: problem.to_owned(), intended: None }
    }
}

/// Rejects quotes, white space or a byte order mark around the value, which YAML and `.env` files leave.
fn wrapped(text: &str) -> Result<(), Malformed> {
    let is_wrapping = |c: char| c.is_whitespace() || c == '"' || c == '\'' || c == '\u{feff}';
    let inner = text.trim_matches(is_wrapping);
    if inner.len() == text.len() {
        return Ok(());
    }
    let offset = if text.starts_with(is_wrapping) { 0 } else { inner.len() };
    let found = text[offset..].chars().next().unwrap_or_default();
    let problem = match found {
        '"' | '\'' => "a quotation mark is part of the value".to_owned(),
        '\n' => "a line break follows the ARN".to_owned(),
        '\u{feff}' => "it begins with a byte order mark".to_owned(),
        _ => "white space is part of the value".to_owned(),
    };
    let intended = RoleArn::parse(inner).is_ok().then(|| inner.to_owned());
    Err(Malformed { offset, problem, intended })
}

/// The text, if it is the ARN of a role.
fn meant(text: &str) -> Option<String> {
    RoleArn::parse(text).is_ok().then(|| text.to_owned())
}

/// Rejects a template that was not filled in: `${…}`, `{{…}}`, `$(…)` or `<…>`.
fn template(text: &str, marks: &[&str]) -> Result<(), Malformed> {
    let found = marks.iter().filter_map(|mark| text.find(mark)).min();
    found.map_or(Ok(()), |offset| {
        let problem = "a placeholder was not filled in".to_owned();
        Err(Malformed { offset, problem, intended: None })
    })
}

fn not_an_arn(text: &str) -> Malformed {
    let common = text.bytes().zip("arn:".bytes()).take_while(|(a, b)| a == b).count();
    let problem =
        if !text.contains(':') { "it is a name, not a whole ARN" } else { "it does not begin with arn:" };
    Malformed { offset: common, problem: problem.to_owned(), intended: None }
}

fn other_service(text: &str, offset: usize, service: &str) -> Malformed {
    let mut intended = None;
    let problem = if service == "sts" && text.contains(":assumed-role/") {
        let mut parts = text.splitn(6, ':').skip(1);
        if let (Some(partition), Some(account), Some(resource)) = (parts.next(), parts.nth(2), parts.next()) {
            let name = resource.split('/').nth(1).unwrap_or_default();
            let arn = format!("arn:{partition}:iam::{account}:role/{name}");
            intended = RoleArn::parse(&arn).is_ok().then_some(arn);
        }
        "it is the ARN of a session, not of a role".to_owned()
    } else {
        format!("its service is {}, not iam", service.escape_default())
    };
    Malformed { offset, problem, intended }
}

/// Parses `role/PATH/NAME` at `offset`.
fn resource(text: &str, offset: usize) -> Result<(String, String), Malformed> {
    let resource = &text[offset..];
    let Some(path_and_name) = resource.strip_prefix("role/") else {
        return Err(not_a_role(text, offset, resource));
    };
    let start = offset + "role/".len();
    // By IAM's grammar the second ARN could be a path, but nobody has such a path.
    if path_and_name.starts_with("arn:") {
        let problem = "it has a second ARN in place of a name".to_owned();
        return Err(Malformed { offset: start, problem, intended: meant(path_and_name) });
    }
    let (path, name) = path_and_name.rsplit_once('/').unwrap_or(("", path_and_name));
    // IAM API, `pathType` and `roleNameType`.
    if let Some(foreign) = path.bytes().position(|b| !b.is_ascii_graphic()) {
        let problem = "its path has a character that IAM refuses".to_owned();
        return Err(Malformed { offset: start + foreign, problem, intended: None });
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-.@+=,".contains(&b);
    if let Some(foreign) = name.bytes().position(|b| !allowed(b)) {
        return Err(Malformed {
            offset: start + path_and_name.len() - name.len() + foreign,
            problem: "its name has a character that IAM refuses".to_owned(),
            intended: None,
        });
    }
    if name.is_empty() {
        let problem = "the role’s name is missing".to_owned();
        return Err(Malformed { offset: text.len(), problem, intended: None });
    }
    let path = if path.is_empty() { "/".to_owned() } else { format!("/{path}/") };
    Ok((path, name.to_owned()))
}

fn not_a_role(text: &str, offset: usize, resource: &str) -> Malformed {
    let kind: String = resource.chars().take_while(|c| !matches!(c, '/' | ':')).collect();
    if kind == "role" {
        let wrong = offset + kind.len();
        let intended = resource[kind.len()..]
            .starts_with(':')
            .then(|| format!("{}/{}", &text[..wrong], &text[wrong + 1..]));
        let intended = intended.filter(|arn| RoleArn::parse(arn).is_ok());
        let problem = "it has no slash behind role".to_owned();
        return Malformed { offset: wrong, problem, intended };
    }
    if kind.eq_ignore_ascii_case("role") {
        let problem = "role must be in lower case".to_owned();
        let intended = meant(&format!("{}role{}", &text[..offset], &resource[kind.len()..]));
        return Malformed { offset, problem, intended };
    }
    let what = match kind.as_str() {
        "policy" => "it is the ARN of a policy",
        "instance-profile" => "it is the ARN of an instance profile",
        "oidc-provider" => "it is the ARN of an OIDC provider",
        "user" => "it is the ARN of a user",
        "group" => "it is the ARN of a group",
        _ => "it has no role/ behind the account",
    };
    Malformed { offset, problem: what.to_owned(), intended: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = "arn:aws:iam::814203749616:role/checkout-reader";

    #[test]
    fn a_role_arn_is_taken_apart() {
        let arn = RoleArn::parse("arn:aws-cn:iam::814203749616:role/team/a/app").unwrap();
        assert_eq!(
            (arn.partition.as_str(), arn.account.as_str(), arn.path.as_str(), arn.name.as_str()),
            ("aws-cn", "814203749616", "/team/a/", "app")
        );
        assert_eq!(RoleArn::parse(GOOD).unwrap().path, "/");
    }

    #[test]
    fn each_near_miss_has_its_offset_and_intention() {
        for (text, offset, intended) in [
            ("arn:aws:iam::814203749616:role:checkout-reader", 30, Some(GOOD)),
            ("arn:aws:iam:::814203749616:role/checkout-reader", 13, Some(GOOD)),
            ("\"arn:aws:iam::814203749616:role/checkout-reader\"", 0, Some(GOOD)),
            ("arn:aws:iam::814203749616:role/checkout-reader\n", 46, Some(GOOD)),
            (" arn:aws:iam::814203749616:role/checkout-reader", 0, Some(GOOD)),
            ("arn:aws:iam::${ACCOUNT}:role/checkout-reader", 13, None),
            ("arn:aws:iam::{{ .account }}:role/checkout-reader", 13, None),
            ("arn:aws:iam::<ACCOUNT_ID>:role/checkout-reader", 13, None),
            ("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", 13, None),
            ("arn:aws:iam::814203749616:policy/x", 26, None),
            ("arn:aws:iam::814203749616:instance-profile/x", 26, None),
            ("arn:aws:iam::814203749616:oidc-provider/oidc.eks", 26, None),
            ("arn:aws:iam::81420374961:role/x", 24, None),
            ("arn:aws:iam::8142037496167:role/x", 25, None),
            ("arn:aws:iam:::role/x", 13, None),
            ("arn:aws:iam::814203749616:role/", 31, None),
            ("arn:aws:iam::814203749616:role/a b", 32, None),
            ("arn:aws:acm:eu-west-1:814203749616:certificate/x", 8, None),
            ("arn:aws:sts::814203749616:assumed-role/checkout-reader/session", 8, Some(GOOD)),
            ("checkout-reader", 0, None),
            ("", 0, None),
            ("arn:azure:iam::814203749616:role/x", 4, None),
        ] {
            let malformed = RoleArn::parse(text).unwrap_err();
            assert_eq!(malformed.offset, offset, "{text}: {malformed:?}");
            assert_eq!(malformed.intended.as_deref(), intended, "{text}: {malformed:?}");
        }
    }

    #[test]
    fn a_compatible_server_may_leave_the_account_out() {
        let ceph = "arn:aws:iam:::role/irsa";
        assert!(RoleArn::parse_for(ceph, false).is_err());
        assert_eq!(RoleArn::parse_for(ceph, true).unwrap().name, "irsa");
        assert!(RoleArn::parse_for("arn:minio:iam:::role/x", true).is_ok());
        assert!(RoleArn::parse_for("arn:aws:iam:::policy/x", true).is_err());
    }

    proptest! {
        #[test]
        fn any_text_has_an_answer(text in any::<String>()) {
            if let Err(malformed) = RoleArn::parse(&text) {
                prop_assert!(malformed.offset <= text.len());
            }
        }

        #[test]
        fn one_foreign_byte_is_found_where_it_stands(at in 0_usize..46, byte in prop::sample::select(vec!['!', '#', '%'])) {
            let mut text = GOOD.to_owned();
            text.replace_range(at..=at, &byte.to_string());
            let malformed = RoleArn::parse(&text).unwrap_err();
            prop_assert!(malformed.offset <= at, "{} at {at}: {:?}", text, malformed);
        }
    }
}
