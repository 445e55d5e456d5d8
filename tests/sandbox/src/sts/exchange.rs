//! AssumeRoleWithWebIdentity, really verified, in the order that STS's answers suggest: shape of the token, role ARN, provider
//! in the role's account, audience, signature, times, role and trust policy, duration.

use std::fmt::Write as _;

use super::{Endpoint, Parameters, Refusal, answer::escape, query::Exchange};
use crate::{
    access::policy::Policy,
    clock,
    jwt::{Jwt, Signature},
    policy::Caller,
    registry::{Account, Provider, Role, RoleArn},
    scenario::Wording,
    session::{self, Bounds, Session},
    world::World,
};

/// How far STS allows clocks to differ.
const LEEWAY_SECONDS: i64 = 300;

pub(super) fn assume(
    world: &World,
    endpoint: Option<&Endpoint>,
    parameters: &Parameters,
) -> Result<String, Refusal> {
    let asked = Exchange::read(parameters)?;
    let jwt = shape(asked.token)?;
    let arn = RoleArn::parse(asked.role_arn)
        .ok_or_else(|| Refusal::new(400, "ValidationError", "Request ARN is invalid"))?;
    let (account, provider, audience) = provider(world, endpoint, &arn, &jwt)?;
    signature(world, endpoint, &jwt)?;
    times(world.clock.now().unix_timestamp(), &jwt)?;
    let subject = jwt.text("sub").ok_or_else(|| missing_claim("sub"))?;
    let caller = caller(provider, subject, audience, asked.session_name);
    let role = role(account, asked.role_arn, &caller)?;
    if asked.duration_seconds > role.max_session_seconds {
        let text = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(Refusal::new(400, "ValidationError", text));
    }
    let policy = session_policy(world, asked.policy)?;
    issue(
        world,
        account,
        role,
        &asked,
        policy,
        &[("SubjectFromWebIdentityToken", subject), ("Audience", audience), ("Provider", &provider.arn)],
    )
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "InvalidIdentityToken", message)
}

fn missing_claim(claim: &str) -> Refusal {
    invalid(format!("Missing a required claim: {claim}"))
}

/// The one text of the new generation, or the specific text of the old one.
fn worded(world: &World, old: impl Into<String>) -> Refusal {
    match world.scenario.wording {
        Wording::Old => invalid(old),
        Wording::Generic => invalid(GENERIC),
    }
}

const GENERIC: &str = "The web identity token provided could not be validated. \
                       See the AssumeRoleWithWebIdentity documentation for requirements.";

/// The same in both generations. The two blanks are as on the wire.
const NO_KEY: &str = "Couldn't retrieve verification key from your identity provider,  \
                      please reference AssumeRoleWithWebIdentity documentation for requirements";

fn shape(token: &str) -> Result<Jwt<'_>, Refusal> {
    Jwt::parse(token).ok_or_else(|| {
        // SDKs send white space around a good token along, and STS answers that differently.
        if Jwt::parse(token.trim()).is_some() {
            invalid("Provided Token is not a Login With Amazon token")
        } else {
            invalid("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
        }
    })
}

/// The provider in the role's account, and the audience that this provider lists.
fn provider<'a, 'b>(
    world: &'a World,
    endpoint: Option<&Endpoint>,
    arn: &RoleArn<'_>,
    jwt: &'b Jwt<'_>,
) -> Result<(&'a Account, &'a Provider, &'b str), Refusal> {
    let issuer = jwt.text("iss").ok_or_else(|| missing_claim("iss"))?;
    // Only the STS of its own partition knows an account, and only in regions that the account has enabled.
    let reachable = endpoint.is_none_or(|endpoint| {
        endpoint.partition == arn.partition
            && !world.scenario.regions_not_enabled.iter().any(|region| region == endpoint.region)
    });
    let account = world.registry().account(arn.partition, arn.account).filter(|_| reachable);
    let (account, provider) =
        account.and_then(|account| Some((account, account.provider(issuer)?))).ok_or_else(|| {
            worded(world, format!("No OpenIDConnect provider found in your account for {issuer}"))
        })?;
    let audiences = jwt.audiences();
    let audience = match (audiences.as_slice(), jwt.text("azp")) {
        ([], _) => return Err(missing_claim("aud")),
        (_, Some(authorized_party)) => authorized_party,
        ([one], None) => one,
        _ => {
            let text = "Token audience contains more than one audience while authorized party is not present";
            return Err(invalid(text));
        }
    };
    if provider.client_ids.iter().any(|id| id == audience) {
        Ok((account, provider, audience))
    } else {
        Err(worded(world, "Incorrect token audience"))
    }
}

fn signature(world: &World, endpoint: Option<&Endpoint>, jwt: &Jwt<'_>) -> Result<(), Refusal> {
    let no_key = || invalid(NO_KEY);
    // A server that is not AWS's runs near the pod and reaches every issuer. AWS's STS reaches only public ones.
    let in_reach = endpoint.is_none() || world.issuer.is_public();
    // Only the issuer of this sandbox publishes keys.
    let published = world.issuer.keys_for_sts();
    let published = published.filter(|_| in_reach && jwt.text("iss") == Some(world.issuer.url()));
    let Some(keys) = published else {
        return Err(no_key());
    };
    match jwt.verify(&keys) {
        Signature::Valid => Ok(()),
        Signature::KeyUnknown => Err(no_key()),
        Signature::Invalid => Err(invalid(GENERIC)),
    }
}

fn times(now: i64, jwt: &Jwt<'_>) -> Result<(), Refusal> {
    let exp = jwt.number("exp").ok_or_else(|| missing_claim("exp"))?;
    let iat = jwt.number("iat").ok_or_else(|| missing_claim("iat"))?;
    if now >= exp {
        let text =
            format!("Token expired: current date/time {now} must be before the expiration date/time {exp}");
        return Err(Refusal::new(400, "ExpiredTokenException", text));
    }
    if iat > now + LEEWAY_SECONDS {
        return Err(invalid("Token issued in the future."));
    }
    if jwt.number("nbf").is_some_and(|nbf| nbf > now + LEEWAY_SECONDS) {
        return Err(invalid("The web identity token is not yet valid."));
    }
    Ok(())
}

fn caller(provider: &Provider, subject: &str, audience: &str, session_name: &str) -> Caller {
    let key = provider.url.trim_start_matches("https://");
    Caller::of(&provider.arn)
        .with(&format!("{key}:sub"), [subject])
        .with(&format!("{key}:aud"), [audience])
        .with("sts:RoleSessionName", [session_name])
}

/// STS gives the same answer for a missing role and for a trust policy that does not admit the caller.
fn role<'a>(account: &'a Account, arn: &str, caller: &Caller) -> Result<&'a Role, Refusal> {
    account.role(arn).filter(|role| role.trust_policy.allows(caller)).ok_or_else(|| {
        Refusal::new(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    })
}

fn issue(
    world: &World,
    account: &Account,
    role: &Role,
    asked: &Exchange<'_>,
    policy: Option<Policy>,
    identity: &[(&str, &str)],
) -> Result<String, Refusal> {
    let bounds = Bounds { policy, transitive_tags: false };
    let failed = |_| Refusal::new(500, "InternalFailure", "The sandbox ran out of random numbers.");
    let (access_key_id, session) =
        session::open(world, account, role, asked.session_name, asked.duration_seconds, bounds)
            .map_err(failed)?;
    Ok(document(&access_key_id, &session, identity))
}

/// The policy that narrows the session.
pub(super) fn session_policy(world: &World, given: Option<&str>) -> Result<Option<Policy>, Refusal> {
    let Some(text) = given else { return Ok(None) };
    let malformed = || Refusal::new(400, "MalformedPolicyDocument", "Syntax errors in policy.");
    let length = text.chars().count();
    if length > 2048 {
        let text = "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to 2048";
        return Err(Refusal::new(400, "ValidationError", text));
    }
    if world.scenario.packed_policy_limit.is_some_and(|limit| length > limit) {
        let text = "Packed size of session tags consumes 101% of allotted space.";
        return Err(Refusal::new(400, "PackedPolicyTooLarge", text));
    }
    let document: serde_json::Value = serde_json::from_str(text).map_err(|_| malformed())?;
    Policy::parse(&document).map(Some).map_err(|_| malformed())
}

pub(super) fn document(access_key_id: &str, session: &Session, identity: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in identity {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "    <{name}>{}</{name}>", escape(value));
    }
    let _ = write!(
        text,
        "    <AssumedRoleUser>\n      <Arn>{}</Arn>\n      <AssumedRoleId>{}</AssumedRoleId>\n    </AssumedRoleUser>\n    \
         <Credentials>\n      <AccessKeyId>{access_key_id}</AccessKeyId>\n      <SecretAccessKey>{}</SecretAccessKey>\n      \
         <SessionToken>{}</SessionToken>\n      <Expiration>{}</Expiration>\n    </Credentials>\n    \
         <PackedPolicySize>6</PackedPolicySize>\n",
        escape(&session.arn),
        escape(&session.user_id),
        session.secret,
        session.token,
        clock::iso(session.expiration),
    );
    text
}

#[cfg(test)]
mod tests;
