//! Which stated access can be checked without side effects, with which request, and what the answer means. Pure.
//! `table` has the calls as data; `session_policy` narrows the credentials; the program sends the requests.

pub mod session_policy;
mod table;

use crate::evidence::{AccessCall, Environment};
use crate::settings::Endpoint;
use crate::settings::arn::{self, RoleArn};
use crate::settings::partition::{self, Partition};

pub use table::{CALLS, SafeCall};

/// How many accesses may be stated.
pub const LIMIT: usize = 8;

/// The action that assumes a role.
pub const ASSUME_ROLE: &str = "sts:AssumeRole";
/// The further action that a session with transitive tags needs.
pub const TAG_SESSION: &str = "sts:TagSession";

/// The parts of `ACTION=RESOURCE[@REGION]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// For example `s3:ListBucket`.
    pub action: String,
    /// An ARN without wildcards, or `*`.
    pub resource: String,
    /// The region to ask, if it was stated.
    pub region: Option<String>,
}

impl Stated {
    /// Splits at the first `=`, and at the last `@` if the form of a region follows, because role names may contain both.
    ///
    /// # Errors
    /// What is wrong with it. Wildcards and policy variables are refused, because they would widen the session policy.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (action, rest) = text.split_once('=').ok_or("there is no `=` between action and resource")?;
        let (resource, region) = match rest.rsplit_once('@') {
            Some((resource, region)) if Partition::of_region(region).is_some() => (resource, Some(region)),
            _ => (rest, None),
        };
        let is_word = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let is_action = |(service, name): (&str, &str)| {
            !service.is_empty() && !name.is_empty() && is_word(service) && is_word(name)
        };
        if !action.split_once(':').is_some_and(is_action) {
            return Err(format!("`{action}` is not one action, as in s3:ListBucket"));
        }
        if resource != "*" && !arn::is_of_resource(resource) {
            return Err(format!("`{resource}` is neither an ARN without wildcards nor *"));
        }
        let of_arn = resource.split(':').nth(3).filter(|region| !region.is_empty());
        if let (Some(stated), Some(of_arn)) = (region, of_arn)
            && stated != of_arn
        {
            return Err(format!("`{resource}` is in {of_arn}, and @{stated} is another region"));
        }
        Ok(Self {
            action: action.to_owned(),
            resource: resource.to_owned(),
            region: region.map(str::to_owned),
        })
    }

    /// Whether the session policy may allow it: `*` is refused, unless the action has no resources.
    fn may_be_allowed(&self) -> bool {
        self.resource != "*" || SafeCall::of(&self.action).is_some_and(|call| call.arn.is_none())
    }
}

/// A request without its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// For example `s3.eu-west-1.amazonaws.com`.
    pub host: String,
    /// The region of the signature.
    pub region: String,
    /// The call's row in the table.
    pub call: &'static SafeCall,
    /// With the values filled in.
    pub path_and_query: String,
    /// With the values filled in.
    pub body: String,
}

/// A stated access, and whether it can be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// What was stated.
    pub stated: Stated,
    /// The request, or why there is none.
    pub ask: Result<Ask, String>,
}

/// Everything that was stated. Skips what the flags' parser refuses; evidence of this program never contains it.
#[must_use]
pub fn planned(
    environment: &Environment,
    endpoint: &Endpoint,
    role: Option<&RoleArn>,
    session: &str,
) -> Vec<Planned> {
    let stated = environment.options.expect_access.iter().filter_map(|text| Stated::parse(text).ok());
    let plan = |stated: Stated| Planned { ask: ask(environment, endpoint, role, session, &stated), stated };
    stated.map(plan).collect()
}

/// The pairs that one session policy allows. It includes those that cannot be checked, because an action can need another one.
#[must_use]
pub fn allowed(planned: &[Planned]) -> Vec<(&str, &str)> {
    let may = planned.iter().map(|planned| &planned.stated).filter(|stated| stated.may_be_allowed());
    may.map(|stated| (stated.action.as_str(), stated.resource.as_str())).collect()
}

fn ask(
    environment: &Environment,
    endpoint: &Endpoint,
    role: Option<&RoleArn>,
    session: &str,
    stated: &Stated,
) -> Result<Ask, String> {
    let Stated { action, resource, region } = stated;
    let call = SafeCall::of(action)
        .ok_or_else(|| format!("no call that reads and changes nothing is known for {action}"))?;
    if let Some(why) = elsewhere(environment, endpoint, call.service) {
        return Err(why);
    }
    let name = match call.arn {
        None if resource == "*" => "",
        None => return Err(format!("{action} has no resources: state {action}=*")),
        Some(form) => named(resource, form).ok_or_else(|| {
            let (service, prefix) = form;
            format!("{action} is asked of one resource, arn:…:{service}:…:{prefix}NAME")
        })?,
    };
    let mut parts = resource.split(':').skip(1);
    let of_arn = (parts.next(), parts.nth(1).filter(|region| !region.is_empty()), parts.next());
    let (partition, in_arn, account) = (of_arn.0, of_arn.1, of_arn.2.unwrap_or_default());
    let region = region.as_deref().or(in_arn).unwrap_or(&endpoint.signing_region);
    let known = Partition::of_region(region).filter(|_| partition::is_host_label(region));
    let known = known.ok_or_else(|| format!("no endpoint follows from the region {region}"))?;
    let partitions = [partition.filter(|_| call.arn.is_some()), role.map(|role| role.partition.as_str())];
    if let Some(other) = partitions.into_iter().flatten().find(|id| *id != known.id) {
        return Err(format!("{region} is a region of {}, and not of {other}", known.id));
    }
    let host = format!("{}.{region}.{}", call.service, known.dns_suffix());
    let url = format!("https://{host}");
    let fill = |template: &str| {
        let mut filled = template.to_owned();
        for (mark, value) in [
            ("{arn}", resource.as_str()),
            ("{name}", name),
            ("{account}", account),
            ("{url}", url.as_str()),
            ("{arn%}", &encoded(resource)),
            ("{session%}", &encoded(session)),
            ("{deny-all%}", &encoded(session_policy::DENY_ALL)),
        ] {
            filled = filled.replace(mark, value);
        }
        filled
    };
    let (path_and_query, body) = (fill(call.path_and_query), fill(call.body));
    Ok(Ask { host, region: region.to_owned(), call, path_and_query, body })
}

/// The request that assumes the next role of a chain, with its own session policy.
///
/// # Errors
/// Why no request can be made.
pub fn hop(
    environment: &Environment,
    endpoint: &Endpoint,
    role: &str,
    session: &str,
    external_id: Option<&str>,
    policy: &str,
) -> Result<Ask, String> {
    let stated = Stated { action: ASSUME_ROLE.to_owned(), resource: role.to_owned(), region: None };
    let mut ask = ask(environment, endpoint, None, session, &stated)?;
    ask.body = ask.body.replace(&encoded(session_policy::DENY_ALL), &encoded(policy));
    if let Some(external_id) = external_id {
        ask.body.push_str("&ExternalId=");
        ask.body.push_str(&encoded(external_id));
    }
    Ok(ask)
}

/// Why AWS's own endpoint is not used. No other endpoint is asked, because it may not keep AWS's promises about dry runs.
fn elsewhere(environment: &Environment, endpoint: &Endpoint, service: &str) -> Option<String> {
    if environment.options.sts_compatible {
        return Some("under --sts-compatible nothing but the STS of that server is asked".to_owned());
    }
    let own = format!("AWS_ENDPOINT_URL_{}", service.to_ascii_uppercase());
    if !environment.is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
        && let Some(name) =
            [own.as_str(), "AWS_ENDPOINT_URL"].into_iter().find(|name| environment.get(name).is_some())
    {
        return Some(format!("{name} leads elsewhere, and only AWS’s own endpoint is asked"));
    }
    // Credentials of another server's STS mean nothing to AWS.
    let name = endpoint.configured_by.filter(|_| !partition::is_sts_url(&endpoint.url))?;
    Some(format!("{name} leads elsewhere, and only AWS’s own endpoint is asked"))
}

/// The name in an ARN of that service and kind. IAM's names may have a path.
fn named<'a>(arn: &'a str, (service, prefix): (&str, &str)) -> Option<&'a str> {
    let mut parts = arn.splitn(6, ':').skip(2);
    let of_service = parts.next()? == service;
    let name = parts.nth(2)?.strip_prefix(prefix)?;
    let is_path = name.contains('/') && service != "iam" || name.contains(':') && service != "lambda";
    (of_service && !name.is_empty() && !is_path).then_some(name)
}

/// Encodes for a query, a form, or one segment of a path.
fn encoded(text: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, ENCODED).to_string()
}

/// The meaning of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<'a> {
    /// The request was allowed.
    Allowed,
    /// The request was denied, with AWS's code and text.
    Denied(&'a str, &'a str),
    /// Neither; says what came instead.
    Undecided(String),
}

/// What the table says about an answer. `None`: the table has no such call.
#[must_use]
pub fn answer(asked: &AccessCall) -> Option<Answer<'_>> {
    let call = SafeCall::of(&asked.action)?;
    let Some(status) = asked.status else {
        let failure = asked.failure.as_ref().map_or("no answer arrived", |failure| &failure.detail);
        return Some(Answer::Undecided(failure.to_owned()));
    };
    let (code, message) =
        asked.error.as_ref().map_or(("", ""), |error| (error.code.as_str(), error.message.as_str()));
    Some(if !asked.by_aws {
        Answer::Undecided(format!("status {status} in a form that is not AWS’s: something else answered"))
    } else if code == call.allowed.1 && (!code.is_empty() || status == call.allowed.0) {
        Answer::Allowed
    } else if (400..404).contains(&status) && DENIED.contains(&code) {
        Answer::Denied(code, message)
    } else if let Some(region) = &asked.bucket_region {
        Answer::Undecided(format!("the bucket is in {region}: state @{region}"))
    } else {
        let of = if code.is_empty() { format!("status {status}") } else { format!("{code}: {message}") };
        Answer::Undecided(of.trim_end_matches([':', ' ']).to_owned())
    })
}

/// The error codes of a denial, for all services.
const DENIED: &[&str] =
    &["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"];

#[cfg(test)]
mod tests;
