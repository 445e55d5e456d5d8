//! Judges whether the stated EKS cluster accepts this identity: the token that can be made, the way, the API server's answers. Pure.
//! Nothing of the way to STS or of the agent explains it.

use super::facts::Facts;
use super::gate::CLUSTER_TOKEN_LIMIT as TOKEN_LIMIT;
use crate::catalog::texts::cluster as texts;
use crate::catalog::{Class, Owner, Topic};
use crate::cluster_access::principal::Principal;
use crate::evidence::{AccessReview, Cluster, Evidence, Failure, FailureKind, Network, Phase};
use crate::judge::finding::{Basis, Finding, Severity};
use crate::settings::command::Word;
use crate::settings::partition::{self, Partition};
use crate::settings::{self, Endpoint};
use crate::steps::slot;
use crate::steps::values::Values;

pub(super) fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(cluster) = &facts.evidence.cluster else { return Vec::new() };
    if let Some(refused) = refused(facts) {
        return vec![refused];
    }
    let values = values(facts, cluster);
    if let Some(problem) = &cluster.problem {
        return vec![not_asked(facts, format!("{}: {problem}", cluster.source))];
    }
    let failure = cluster.network.as_ref().and_then(|network| Some((network, network.failure.as_ref()?)));
    if let Some((network, failure)) = failure {
        return vec![on_the_way(&values, network, failure)];
    }
    match cluster.status {
        Some(401) => vec![unauthorized(facts, cluster, &values)],
        Some(201 | 403 | 404) => {
            cluster.reviews.iter().filter_map(|review| of_review(cluster, review, &values)).collect()
        }
        Some(status) => {
            let said = cluster.message.as_deref().unwrap_or("nothing more");
            let finding = not_asked(facts, format!("the API server answers {status}, and says {said}"));
            vec![finding.transient(status == 429 || status >= 500)]
        }
        None => vec![not_asked(facts, "no answer of the API server was kept".to_owned())],
    }
}

fn name<'f>(facts: &Facts<'f>) -> &'f str {
    facts.evidence.environment.options.cluster.as_deref().unwrap_or_default()
}

fn stated(class: Class, summary: String) -> Finding {
    Finding::new(class, summary).expectation(Basis::Explicit).about(Topic::Cluster).severity(Severity::Error)
}

fn not_asked(facts: &Facts<'_>, why: String) -> Finding {
    let values = facts.evidence.cluster.as_ref().map(|cluster| values(facts, cluster)).unwrap_or_default();
    let name = name(facts);
    stated(Class::Inconclusive, format!("whether cluster {name} accepts this identity could not be seen"))
        .why(format!("{why}."))
        .presented(why)
        .required("an answer of the API server to a SelfSubjectReview")
        .steps(&values, &[&texts::SEE_CLUSTER, &texts::STATE_SERVER])
}

/// The values of this run, with those of the cluster.
fn values(facts: &Facts<'_>, cluster: &Cluster) -> Values {
    let mut values = facts.values();
    let name = name(facts);
    values = values.with(slot::CLUSTER, format!("cluster {name}"), Word::cluster(name));
    if let Some(region) = cluster.endpoint.as_deref().and_then(region_of_cluster) {
        values = values.with(slot::REGION, region, Word::region(region));
    }
    let principal = principal(facts);
    if let Some(principal) = &principal {
        values = values.with_text(slot::MAPPED_ARN, &principal.canonical);
    }
    values
}

/// `https://ID.SUFFIX.REGION.eks.amazonaws.com`
fn region_of_cluster(endpoint: &str) -> Option<&str> {
    let host = partition::host_of(endpoint)?;
    let (before, _) = host.split_once(".eks.amazonaws.")?;
    before.rsplit('.').next().filter(|region| partition::is_known_region(region))
}

/// Whose access is asked for: the role's whole ARN where it is known, else the session's.
fn principal(facts: &Facts<'_>) -> Option<Principal> {
    let answered = super::answered(facts.evidence);
    let asked = facts.requested.role_arn.as_ref().map(|role| role.value.as_str());
    [asked, answered].into_iter().flatten().find_map(|arn| Principal::parse(arn).ok())
}

/// What EKS would refuse in any case: nothing is sent then. Judged before the token is made, but for its size.
pub(super) fn refused(facts: &Facts<'_>) -> Option<Finding> {
    let values = facts.values();
    let name = name(facts);
    let finding = |summary: &str| stated(Class::ClusterTokenRefused, summary.to_owned()).owner(Owner::Pod);
    if Word::cluster(name) == Word::NONE {
        let meant = name
            .rsplit('/')
            .next()
            .filter(|meant| name.contains(":cluster/") && Word::cluster(meant) != Word::NONE);
        let required =
            meant.map_or("letters, digits, - and _".to_owned(), |meant| format!("the name alone, {meant}"));
        let finding = finding("the value of --cluster is not a cluster’s name");
        return Some(
            finding
                .presented(name)
                .required(required)
                .owner(Owner::Probe)
                .steps(&values, &[&texts::SEE_CLUSTERS, &texts::CORRECT_NAME]),
        );
    }
    let endpoint = facts.route.endpoint.as_ref().ok()?;
    let by = endpoint.configured_by.unwrap_or("the region");
    if let Some(Unfit { host, required, why }) = unfit(facts, endpoint) {
        return Some(
            finding(&format!("EKS refuses tokens that are signed for {host}"))
                .presented(format!("{host} from {by}"))
                .required(required)
                .why(format!("The token is a request to the STS that this pod uses, {host} by {by}. {why}"))
                .steps(&values, &[&texts::SEE_HOSTS, &texts::REMOVE_ENDPOINT]),
        );
    }
    let bytes = facts.evidence.cluster.as_ref().and_then(|cluster| cluster.token_bytes);
    bytes.filter(|bytes| *bytes > TOKEN_LIMIT).map(|bytes| {
        finding(&format!("the token has {bytes} bytes, and EKS reads {TOKEN_LIMIT} at most"))
            .presented(format!("{bytes} bytes"))
            .required(format!("{TOKEN_LIMIT} bytes at most"))
            .steps(&values, &[&texts::SEE_HOSTS, &texts::SMALLER_SESSION])
    })
}

/// A host of STS whose presigned URLs EKS or STS refuses.
struct Unfit<'f> {
    /// As the URL has it.
    host: &'f str,
    required: String,
    why: String,
}

/// What aws-iam-authenticator’s `verifyHost` and STS say to the URL that the AWS CLI presigns here. The AWS CLI takes the configured
/// endpoint’s host as it is written, drops its path, and signs for the pod’s region. credprobe’s own call to STS is not so strict.
fn unfit<'f>(facts: &'f Facts<'_>, endpoint: &'f Endpoint) -> Option<Unfit<'f>> {
    let rest = endpoint.url.split_once("://").filter(|(scheme, _)| scheme.eq_ignore_ascii_case("https"));
    let written = rest.and_then(|(_, rest)| rest.split('/').next());
    let region = written.and_then(partition::region_of_sts_host).filter(|region| {
        let all = [(false, false), (false, true), (true, false), (true, true)];
        written == Some(partition::GLOBAL_STS)
            || all.iter().any(|(fips, dual_stack)| {
                let url = partition::sts_url(region, *fips, *dual_stack);
                url.is_ok_and(|url| url.strip_prefix("https://") == written)
            })
    });
    let (Some(host), Some(region)) = (written, region) else {
        return Some(Unfit {
            host: written.filter(|it| !it.contains(['@', '?'])).unwrap_or(&endpoint.host),
            required: "an STS host of AWS in lower case, without port and final dot, as in sts.eu-west-1.amazonaws.com".to_owned(),
            why: "EKS takes only AWS’s own STS hosts, in lower case, without a port or a final dot. It answers 401 to all others without saying why.".to_owned(),
        });
    };
    let signed = facts.route.region.as_ref().filter(|it| it.source != settings::ISSUER_SOURCE);
    let signed = signed.filter(|_| endpoint.configured_by.is_some()).filter(|signed| {
        let (name, _) = partition::without_fips(&signed.value);
        name != region && !(name == partition::GLOBAL_REGION && region == "us-east-1")
    });
    if let Some(signed) = signed {
        return Some(Unfit {
            host,
            required: format!("the STS host of region {}, which signs the token", signed.value),
            why: format!(
                "The AWS CLI signs the token for {} by {}, and this host accepts signatures for {region} only. So EKS answers 401.",
                signed.value, signed.source
            ),
        });
    }
    let options = &facts.evidence.environment.options;
    let seen = facts.evidence.cluster.as_ref().and_then(|cluster| cluster.endpoint.as_deref());
    let of_cluster = seen.or(options.cluster_endpoint.as_deref()).and_then(partition::host_of);
    let of_cluster = of_cluster.and_then(Partition::of_host)?;
    // The partitions `aws` and `aws-us-gov` share their suffixes, but the global host belongs to `aws`.
    let is_other = Partition::of_host(host).is_none_or(|own| own.dns_suffix() != of_cluster.dns_suffix());
    let is_global = host == partition::GLOBAL_STS && of_cluster.id != "aws";
    (is_other || is_global).then(|| Unfit {
        host,
        required: format!("a regional STS host of partition {}", of_cluster.id),
        why: format!(
            "The cluster is in partition {}. Its EKS takes only the regional STS hosts of that partition, and answers 401 to all others.",
            of_cluster.id
        ),
    })
}

fn unauthorized(facts: &Facts<'_>, cluster: &Cluster, values: &Values) -> Finding {
    let who = principal(facts).map_or_else(|| "this identity".to_owned(), |principal| principal.title());
    let mut why = "EKS says 401 to an unknown role, a stale entry or a wrong cluster.".to_owned();
    let other = cluster.exec_cluster.as_deref().filter(|exec| *exec != name(facts));
    if let Some(exec) = other {
        why = format!(
            "The kubeconfig makes tokens for cluster {exec}, and --cluster is {}. EKS answers 401 to a token for another cluster.",
            name(facts)
        );
    }
    let steps: &[_] = if other.is_some() {
        &[
            &texts::CORRECT_NAME,
            &texts::SEE_CLUSTER,
            &texts::SEE_AWS_AUTH,
            &texts::CREATE_ENTRY,
            &texts::ADD_LINE,
        ]
    } else {
        &[
            &texts::SEE_CLUSTER,
            &texts::SEE_AWS_AUTH,
            &texts::SEE_ENTRY,
            &texts::CREATE_ENTRY,
            &texts::STALE_ENTRY,
            &texts::ADD_LINE,
        ]
    };
    let exchange = facts.evidence.exchange.as_ref();
    let skewed = exchange.is_some_and(|it| it.date.is_some_and(|date| (date - it.received_at).abs() > 300));
    let finding =
        stated(Class::ClusterUnauthorized, format!("cluster {} does not accept {who}", name(facts)))
            .presented(super::answered(facts.evidence).unwrap_or("a token of this identity").to_owned())
            .required(format!(
                "an access entry, or a line of aws-auth, of cluster {} that maps it",
                name(facts)
            ))
            .why(why)
            .steps(values, steps);
    if skewed { finding.about(Topic::Time) } else { finding }
}

fn of_review(cluster: &Cluster, review: &AccessReview, values: &Values) -> Option<Finding> {
    let user = cluster.user.as_ref().map_or("the user of this identity", |user| user.username.as_str());
    let finding = match (review.status, review.allowed) {
        (Some(201), Some(true)) => return None,
        (Some(201), Some(false)) => {
            let groups = cluster.user.as_ref().map(|user| user.groups.join(", ")).unwrap_or_default();
            stated(Class::ClusterForbidden, format!("{user} may not {}", in_words(&review.asked)))
                .presented(format!("user {user}, groups {groups}"))
                .required(format!("a binding that allows {}", review.asked))
                .why(format!(
                    "The cluster knows this identity as user {user} with the groups {groups}. RBAC does not allow {}.",
                    in_words(&review.asked)
                ))
                .steps(values, &[&texts::SEE_BINDINGS, &texts::SEE_POLICIES, &texts::BIND])
        }
        (status, _) => {
            let status = status.map_or_else(|| "nothing".to_owned(), |status| status.to_string());
            let said = review.reason.as_deref().unwrap_or("no more");
            stated(
                Class::Inconclusive,
                format!("whether {user} may {} could not be seen", in_words(&review.asked)),
            )
            .presented(format!("the API server answers {status}, and says {said}"))
            .required("an answer to a SelfSubjectAccessReview")
            .steps(values, &[&texts::SEE_BINDINGS, &texts::STATE_SERVER])
        }
    };
    Some(finding)
}

/// `list:pods:shop` → `list pods in namespace shop`.
fn in_words(asked: &str) -> String {
    let mut parts = asked.splitn(3, ':');
    let (verb, resource) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    match parts.next() {
        Some(namespace) => format!("{verb} {resource} in namespace {namespace}"),
        None => format!("{verb} {resource} in the cluster"),
    }
}

/// Good news, and what the cluster did not say; `None`: it did not accept this identity.
pub(crate) fn known_as(evidence: &Evidence) -> Option<String> {
    let cluster = evidence.cluster.as_ref()?;
    let name = evidence.environment.options.cluster.as_deref()?;
    Some(match (&cluster.user, cluster.status?) {
        (Some(user), _) => {
            let groups = if user.groups.is_empty() { "none".to_owned() } else { user.groups.join(", ") };
            format!("{name} knows this identity as user {}, groups {groups}", user.username)
        }
        (None, 404) => {
            format!(
                "{name} accepts this identity, and does not say as whom: it is older than Kubernetes 1.28"
            )
        }
        (None, 403) => {
            let said = cluster.message.as_deref().unwrap_or_default();
            format!("{name} accepts this identity, and its RBAC does not let it ask who it is: {said}")
        }
        _ => return None,
    })
}

fn on_the_way(values: &Values, network: &Network, failure: &Failure) -> Finding {
    use FailureKind as Kind;
    let host = partition::host_of(&network.endpoint).unwrap_or(&network.endpoint);
    let class = match failure.kind {
        Kind::NameserverFailed => Class::DnsFailed,
        Kind::TimedOut if failure.phase == Phase::Resolve => Class::DnsFailed,
        Kind::NameNotFound | Kind::NameWithoutAddress => Class::NameNotFound,
        Kind::Refused => Class::ConnectRefused,
        Kind::TimedOut if failure.phase == Phase::Connect => Class::ConnectTimeout,
        Kind::TimedOut => Class::ResponseTimeout,
        Kind::Unreachable => Class::Unreachable,
        Kind::TlsUnknownIssuer
        | Kind::TlsWrongName
        | Kind::TlsExpired
        | Kind::TlsNotYetValid
        | Kind::TlsAlert
        | Kind::TlsNotTls
        | Kind::TlsOther => Class::TlsFailed,
        Kind::ProxyRefused => Class::ProxyFailed,
        Kind::Broken => Class::ConnectionBroken,
        Kind::NotHttp | Kind::TooLong | Kind::Unusable => Class::Inconclusive,
    };
    let private = network.addresses.iter().any(|attempt| super::network::is_private(attempt.address.ip()));
    let (required, advice) = match class {
        Class::DnsFailed | Class::NameNotFound => {
            ("the name of the cluster’s endpoint, resolved in this pod’s network", &texts::RESOLVE)
        }
        Class::TlsFailed => ("a certificate that the stated CA vouches for", &texts::STATE_CA),
        Class::ConnectTimeout | Class::ConnectRefused | Class::Unreachable if private => {
            ("port 443 of the cluster’s private endpoint, open from this pod", &texts::LET_IN)
        }
        Class::ConnectTimeout | Class::ConnectRefused | Class::Unreachable => (
            "port 443 of the cluster’s public endpoint, open for the address that this pod goes out with",
            &texts::LET_OUT,
        ),
        _ => ("a whole answer of the API server", &texts::IN_BETWEEN),
    };
    let presented = network.addresses.iter().map(|attempt| attempt.address.to_string()).collect::<Vec<_>>();
    stated(class, format!("the API server at {host} was not reached"))
        .why(format!("{}. credprobe needs {required}.", crate::text::plain(&failure.detail)))
        .presented(if presented.is_empty() {
            host.to_owned()
        } else {
            format!("{host}, {}", presented.join(", "))
        })
        .required(required)
        .steps(values, &[&texts::SEE_CLUSTER, advice])
}

#[cfg(test)]
mod tests;
