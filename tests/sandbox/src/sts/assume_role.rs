//! AssumeRole: the session of one role assumes another role if both sides allow it; transitive tags are passed on.
//! `policy` evaluates the trust policy, `access` everything on the caller's side.

use super::{Endpoint, Parameters, Refusal, Request, exchange, identity};
use crate::{
    access::{self, policy::Denial},
    policy::Caller,
    registry::RoleArn,
    session::{self, Bounds, Session},
    world::World,
};

const ASSUME: &str = "sts:AssumeRole";
const TAG: &str = "sts:TagSession";

pub(super) fn assume(
    world: &World,
    endpoint: Option<&Endpoint>,
    request: &Request<'_>,
    parameters: &Parameters,
) -> Result<String, Refusal> {
    let region = endpoint.map(|endpoint| endpoint.region);
    let caller = identity::signer(world, request, "sts", region)?;
    let get = |name: &str| parameters.get(name).map(String::as_str);
    let (role_arn, name) = (get("RoleArn").unwrap_or_default(), get("RoleSessionName").unwrap_or_default());
    let invalid = || Refusal::new(400, "ValidationError", format!("{role_arn} is invalid"));
    let seconds = get("DurationSeconds").unwrap_or("3600").parse().map_err(|_| invalid())?;
    let arn = RoleArn::parse(role_arn).ok_or_else(invalid)?;
    let policy = exchange::session_policy(world, get("Policy"))?;
    let known = world.registry().account(arn.partition, arn.account);
    let known = known.and_then(|account| Some((account, account.role(role_arn)?)));
    let actions = if caller.transitive_tags { &[ASSUME, TAG][..] } else { &[ASSUME] };
    for action in actions {
        let foreign = arn.account != caller.account;
        let refused = |denial: Denial| denied(&caller, action, role_arn, denial, foreign);
        let who = if *action == TAG {
            Caller::tagging(&caller.role_arn)
        } else {
            Caller::role(&caller.role_arn, false)
        };
        let who =
            who.with("aws:PrincipalAccount", [caller.account.as_str()]).with("sts:RoleSessionName", [name]);
        let who = match get("ExternalId") {
            Some(id) => who.with("sts:ExternalId", [id]),
            None => who,
        };
        let trust = known.map(|(_, role)| &role.trust_policy);
        if trust.is_some_and(|trust| trust.denies(&who)) {
            return Err(refused(Denial::Told("with an explicit deny in the role trust policy".into())));
        }
        let admitted = trust.is_some_and(|trust| trust.allows(&who));
        // Within one account a trust policy that names the role itself is sufficient.
        let suffices = admitted && !foreign && trust.is_some_and(|trust| trust.names(&caller.role_arn));
        match access::decide(world, &caller, "sts", action, role_arn, suffices) {
            Err(denial) => return Err(refused(denial)),
            Ok(()) if !admitted => {
                return Err(refused(Denial::Told(format!(
                    "because no role trust policy allows the {action} action"
                ))));
            }
            Ok(()) => {}
        }
    }
    let (account, role) = known.ok_or_else(invalid)?;
    let failed = |_| Refusal::new(500, "InternalFailure", "The sandbox ran out of random numbers.");
    let bounds = Bounds { policy, transitive_tags: caller.transitive_tags };
    let (key_id, session) = session::open(world, account, role, name, seconds, bounds).map_err(failed)?;
    Ok(exchange::document(&key_id, &session, &[]))
}

/// Across accounts STS does not give the reason.
fn denied(caller: &Session, action: &str, role_arn: &str, denial: Denial, foreign: bool) -> Refusal {
    let reason = match denial {
        Denial::Told(reason) if !foreign => format!(" {reason}"),
        _ => String::new(),
    };
    let user = &caller.arn;
    let text = format!("User: {user} is not authorized to perform: {action} on resource: {role_arn}{reason}");
    Refusal::new(403, "AccessDenied", text)
}
