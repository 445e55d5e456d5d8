//! The first check: whether this is a request of the Query protocol, and its parameters keep the service model's limits.
//! The texts are those of AWS's validation layer, with several violations in one sentence.

use super::{Parameters, Refusal, Request};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Operation {
    AssumeRole,
    AssumeRoleWithWebIdentity,
    GetCallerIdentity,
}

const VERSION: &str = "2011-06-15";

pub(crate) fn operation(request: &Request<'_>, parameters: &Parameters) -> Result<Operation, Refusal> {
    let Some(action) = parameters.get("Action").filter(|_| request.path == "/") else {
        return Err(Refusal::new(
            403,
            "MissingAuthenticationToken",
            "Request is missing Authentication Token",
        ));
    };
    let version = parameters.get("Version").map_or("NO_VERSION_SPECIFIED", String::as_str);
    match action.as_str() {
        "AssumeRoleWithWebIdentity" if version == VERSION => Ok(Operation::AssumeRoleWithWebIdentity),
        "AssumeRole" if version == VERSION => Ok(Operation::AssumeRole),
        "GetCallerIdentity" if version == VERSION => Ok(Operation::GetCallerIdentity),
        _ => {
            let text = format!("Could not find operation {action} for version {version}");
            Err(Refusal::new(400, "InvalidAction", text))
        }
    }
}

/// The parameters of AssumeRoleWithWebIdentity, within the model's limits.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) role_arn: &'a str,
    pub(crate) session_name: &'a str,
    pub(crate) token: &'a str,
    pub(crate) duration_seconds: i64,
    pub(crate) policy: Option<&'a str>,
}

impl<'a> Exchange<'a> {
    pub(crate) fn read(parameters: &'a Parameters) -> Result<Self, Refusal> {
        let mut violations = Vec::new();
        let mut required = |parameter: &str, field: &str, shortest: usize, longest: usize| {
            let Some(value) = parameters.get(parameter) else {
                violations.push(format!(
                    "Value null at '{field}' failed to satisfy constraint: Member must not be null"
                ));
                return "";
            };
            let length = value.chars().count();
            if length < shortest {
                violations.push(format!("Value at '{field}' failed to satisfy constraint: Member must have length greater than or equal to {shortest}"));
            } else if length > longest {
                violations.push(format!("Value at '{field}' failed to satisfy constraint: Member must have length less than or equal to {longest}"));
            }
            value.as_str()
        };
        let role_arn = required("RoleArn", "roleArn", 20, 2048);
        let session_name = required("RoleSessionName", "roleSessionName", 2, 64);
        let token = required("WebIdentityToken", "webIdentityToken", 4, 20_000);
        if !session_name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte)) {
            violations.push(format!("Value '{session_name}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"));
        }
        let asked = parameters.get("DurationSeconds").map_or("3600", String::as_str);
        let duration_seconds = asked.parse().map_err(|_| {
            Refusal::new(
                400,
                "MalformedInput",
                "The request body could not be parsed: DurationSeconds is not a number",
            )
        })?;
        let mut bound = |text: String| {
            violations.push(format!("Value '{asked}' at 'durationSeconds' failed to satisfy constraint: Member must have value {text}"));
        };
        if duration_seconds < 900 {
            bound("greater than or equal to 900".into());
        } else if duration_seconds > 43_200 {
            bound("less than or equal to 43200".into());
        }
        if violations.is_empty() {
            let policy = parameters.get("Policy").map(String::as_str);
            return Ok(Self { role_arn, session_name, token, duration_seconds, policy });
        }
        let plural = if violations.len() == 1 { "error" } else { "errors" };
        let text = format!("{} validation {plural} detected: {}", violations.len(), violations.join("; "));
        Err(Refusal::new(400, "ValidationError", text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Parameters {
        [
            ("RoleArn", "arn:aws:iam::814203749616:role/checkout-reader"),
            ("RoleSessionName", "credprobe"),
            ("WebIdentityToken", "a.b.c"),
        ]
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
    }

    fn refusal(name: &str, value: &str) -> String {
        let mut parameters = good();
        parameters.insert(name.into(), value.into());
        Exchange::read(&parameters).unwrap_err().message
    }

    #[test]
    fn each_limit_has_the_models_text() {
        assert!(Exchange::read(&good()).is_ok());
        let prefix = "1 validation error detected: Value";
        assert_eq!(
            refusal("RoleArn", "arn:aws:iam::x"),
            format!(
                "{prefix} at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20"
            )
        );
        assert_eq!(
            refusal("WebIdentityToken", ""),
            format!(
                "{prefix} at 'webIdentityToken' failed to satisfy constraint: Member must have length greater than or equal to 4"
            )
        );
        assert_eq!(
            refusal("RoleSessionName", "bad session!!"),
            format!(
                "{prefix} 'bad session!!' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"
            )
        );
        assert_eq!(
            refusal("DurationSeconds", "100"),
            format!(
                "{prefix} '100' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900"
            )
        );
        assert_eq!(
            refusal("DurationSeconds", "50000"),
            format!(
                "{prefix} '50000' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200"
            )
        );
    }

    #[test]
    fn several_violations_are_counted() {
        let mut parameters = good();
        parameters.remove("RoleArn");
        parameters.insert("DurationSeconds".into(), "1".into());
        let text = Exchange::read(&parameters).unwrap_err().message;
        assert!(text.starts_with("2 validation errors detected: Value null at 'roleArn'"), "{text}");
    }
}
