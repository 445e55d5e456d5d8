//! Repairs that were once printed and did harm: no report may print one of them as a command again.
//! Each entry says why. The list is tested with lines that do harm and lines that do not.

use libtest_mimic::Failed;
use serde_json::Value;

/// What decides, about the pod of a report, whether a command does harm.
#[derive(Clone, Copy)]
struct Place<'a> {
    node: &'a str,
    issuer: &'a str,
    by_agent: bool,
}

/// The account of the sandbox's cluster. An association's own role has to be in it.
const CLUSTERS_ACCOUNT: &str = " --role-arn arn:aws:iam::814203749616:";

/// The first command of a finding that does harm in the pod of this report.
pub(super) fn of(report: &Value, commands: &[&str]) -> Option<String> {
    let token = &report["evidence"]["token"];
    let place = Place {
        node: token["node_name"].as_str().unwrap_or_default(),
        issuer: token["iss"].as_str().unwrap_or_default(),
        by_agent: report["mechanism"] == "pod-identity",
    };
    commands.iter().find_map(|line| {
        let why = harms(line, &place, commands)?;
        Some(format!("a repair that does harm ({why}): {line}"))
    })
}

/// Why no report may print this line as a command: it breaks something else. `None` if it is harmless.
fn harms(line: &str, place: &Place<'_>, all: &[&str]) -> Option<&'static str> {
    let has = |part: &str| line.contains(part);
    let of_association = has("pod-identity-association ") && has(" --role-arn arn:");
    let for_eks = all.iter().any(|line| line.contains("pods.eks.amazonaws.com\""));
    let writes_policy = has("update-assume-role-policy --role-name ");
    match () {
        () if has("delete-pod-identity-association") => Some("other pods may need the association"),
        () if has("excludeOutboundPorts") => Some("all HTTPS of the pod leaves the mesh"),
        () if has("_FILE=/dev/null") => Some("the app loses what else its profiles hold"),
        () if of_association && !has(CLUSTERS_ACCOUNT) => Some("EKS takes no role of another account there"),
        () if writes_policy && (for_eks || place.by_agent) && !has("--role-name \"${role:?}\"") => {
            Some("only the role that the association names is assumed by EKS")
        }
        () if writes_policy && has("role-name automation") => {
            Some("a target role never trusts EKS or a token")
        }
        () if is_auto_mode(place.node) && has("eks-pod-identity-agent") => {
            Some("on EKS Auto Mode the agent is neither add-on nor pod")
        }
        () if is_auto_mode(place.node) && has("Name=private-dns-name") => Some("EC2 knows no such name"),
        () if place.node.starts_with("mi-") && has("describe-instances") => {
            Some("a hybrid node is no instance")
        }
        () if has("create-open-id-connect-provider") && is_private(place.issuer) => {
            Some("AWS can never reach this issuer")
        }
        () => None,
    }
}

fn is_auto_mode(node: &str) -> bool {
    node.strip_prefix("i-").is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_private(issuer: &str) -> bool {
    let host = issuer.trim_start_matches("https://").split(['/', ':']).next().unwrap_or_default();
    !host.contains('.')
        || [".svc", ".local", ".internal"].iter().any(|ending| host.ends_with(ending))
        || ["10.", "192.168.", "127."].iter().any(|begin| host.starts_with(begin))
}

/// Tests each harm with a line that does it and with lines that do not, so that the list itself can fail.
pub(crate) fn the_deny_list_holds() -> Result<(), Failed> {
    let pod = Place {
        node: "ip-10-0-3-41.eu-west-1.compute.internal",
        issuer: "https://oidc.eks.eu-west-1.amazonaws.com/id/A",
        by_agent: false,
    };
    let agent = Place { by_agent: true, ..pod };
    let auto = Place { node: "i-0123456789abcdef0", ..agent };
    let hybrid = Place { node: "mi-0123456789abcdef0", ..agent };
    let private = Place { issuer: "https://oidc.identity.svc.cluster.local", ..pod };
    let update = "aws iam update-assume-role-policy --role-name checkout-reader --policy-document file://a";
    let update_variable =
        "aws iam update-assume-role-policy --role-name \"${role:?}\" --policy-document file://a";
    let create_provider =
        "aws iam create-open-id-connect-provider --url https://oidc.identity.svc.cluster.local";
    let add_on = "aws eks create-addon --addon-name eks-pod-identity-agent";
    let find = "aws ec2 describe-instances --filters Name=private-dns-name,Values=x";
    let associate = "aws eks update-pod-identity-association --association-id a --role-arn arn:aws:iam::444455556666:role/automation";
    let wiped = "kubectl set env -n shop deployment/checkout AWS_CONFIG_FILE=/dev/null";
    let mesh = "kubectl patch deployment -p traffic.sidecar.istio.io/excludeOutboundPorts";
    let delete = "aws eks delete-pod-identity-association --association-id a";
    let statement = "jq '{\"Service\":\"pods.eks.amazonaws.com\"}' before.json";
    let cases: [(&Place<'_>, &[&str], bool); 16] = [
        (&pod, &[delete], true),
        (&pod, &[mesh], true),
        (&pod, &[wiped], true),
        (&agent, &[associate], true),
        (&agent, &[update], true),
        (&pod, &[statement, update], true),
        (&auto, &[add_on], true),
        (&auto, &[find], true),
        (&hybrid, &[find], true),
        (&private, &[create_provider], true),
        (&pod, &[update], false),
        (&agent, &[statement, update_variable], false),
        (&agent, &[add_on], false),
        (&agent, &[find], false),
        (&pod, &[create_provider], false),
        (
            &agent,
            &[
                "aws eks update-pod-identity-association --role-arn arn:aws:iam::814203749616:role/checkout-reader",
            ],
            false,
        ),
    ];
    for (place, lines, harmful) in cases {
        let found = lines.iter().find_map(|line| harms(line, place, lines));
        if found.is_some() != harmful {
            return Err(format!("{lines:?} on {}: {found:?}", place.node).into());
        }
    }
    Ok(())
}
