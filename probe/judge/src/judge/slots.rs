//! What this run knows of the values that steps leave open: pod, workload, role, issuer, region, host. Pure.
//! A value is known to a sentence as it is, and to a command only as a name of its kind.

use super::facts::Facts;
use super::finding::Finding;
use crate::catalog::Restart;
use crate::catalog::texts::{common, environment, network};
use crate::options::Workload;
use crate::settings::command::{Aws, Word};
use crate::settings::{self, Sourced, partition};
use crate::steps::slot;
use crate::steps::template::Template;
use crate::steps::values::Values;

impl Facts<'_> {
    /// What prints commands of the AWS CLI, where STS is AWS's.
    pub(super) fn aws(&self) -> Option<Aws> {
        Aws::unless(self.compatible())
    }

    /// The values of this run.
    pub(super) fn values(&self) -> Values {
        let mut values = Values::default().without_aws(self.compatible());
        if let Some(account) = self.account() {
            let name = Word::dns(account.name);
            values = values
                .with(slot::SERVICE_ACCOUNT, account.name, name)
                .with_text(slot::SA, format!("{}/{}", account.namespace, account.name))
                .with_text(slot::THE_SA, format!("service account {}/{}", account.namespace, account.name));
        }
        if let Some(namespace) = self.namespace() {
            values = values.with(slot::NAMESPACE, namespace, Word::label(namespace));
        }
        if let Some(pod) = self.pod_name() {
            values = values.with(slot::POD, pod, Word::dns(pod));
            values = guessed_workload(values, pod);
        }
        if let Some(workload) = &self.evidence.environment.options.workload {
            values = stated_workload(values, workload);
        }
        if let Some(node) = self.node() {
            values = values.with(slot::NODE, node, Word::dns(node));
        }
        if let Some(role) = self.role {
            let account = Word::account(&role.account);
            let arn = self.role_text();
            values = values
                .with(slot::ROLE, format!("role {}", role.name), Word::role_name(&role.name))
                .with(slot::ROLE_NAME, &role.name, Word::role_name(&role.name))
                .with(slot::ROLE_ARN, &arn, Word::role_arn(&arn, self.compatible()))
                .with(slot::ACCOUNT, format!("account {}", role.account), account)
                .with(slot::PARTITION, &role.partition, Word::partition(&role.partition));
        }
        if let Some(token) = self.token() {
            if let Some(issuer) = token.iss.as_deref() {
                let path = issuer.strip_prefix("https://").unwrap_or(issuer);
                let host = path.split('/').next().unwrap_or(path);
                let id = path.rsplit('/').next().unwrap_or(path);
                values = values
                    .with(slot::ISSUER_URL, issuer, Word::issuer(issuer))
                    .with(slot::ISSUER, path, Word::issuer_path(path))
                    .with(slot::ISSUER_HOST, host, Word::host(host))
                    .with(slot::ISSUER_ID, id, Word::cluster(id));
                if let (Some(role), Some(arn)) = (self.role, self.provider_arn()) {
                    values = values.with(slot::PROVIDER_ARN, arn, Word::provider_arn(role, path));
                }
            }
            // With several audiences STS compares `azp` (IAM user guide, OIDC condition keys).
            if let Some(audience) = token.azp.as_ref().or_else(|| token.aud.first()) {
                values = values.with(slot::AUDIENCE, audience, Word::audience(audience));
            }
            if let Some(subject) = token.sub.as_deref() {
                values = values.with(slot::SUBJECT, subject, Word::subject(subject));
            }
        }
        if let Ok(endpoint) = &self.route.endpoint {
            values = values
                .with(slot::STS_HOST, &endpoint.host, Word::host(&endpoint.host))
                .with_text(slot::PORT, partition::port_of(&endpoint.url))
                .with(slot::REGION, &endpoint.signing_region, Word::region(&endpoint.signing_region));
        }
        values
    }
}

impl Facts<'_> {
    /// The same with those of the way to `host`: who leads there, and what leads past a proxy.
    pub(super) fn values_to(&self, host: &str) -> Values {
        let environment = &self.evidence.environment;
        let (name, present) = match (environment.get("NO_PROXY"), environment.get("no_proxy")) {
            (None, Some(present)) => ("no_proxy", Some(present)),
            (present, _) => ("NO_PROXY", present),
        };
        let word = Word::host(host);
        // What is there stays there.
        let hosts = match present {
            Some(present) => Word::hosts(present).before(",").then(word.clone()),
            None => word.clone(),
        };
        let mut values = self.values().with(slot::HOST, host, word).with(
            slot::NO_PROXY,
            format!("{name} with {host}"),
            Word::from(name).before("=").then(hosts),
        );
        if let Some(variable) = self.route.endpoint.as_ref().ok().and_then(|endpoint| endpoint.configured_by)
        {
            values = values.with(slot::VARIABLE, variable, Word::variable_name(variable));
        }
        let by_issuer = self.token().and_then(|token| partition::region_of_issuer(token.iss.as_deref()?));
        let region = self.route.region.as_ref().map(|region| region.value.as_str()).or(by_issuer);
        if let Some(url) = region.and_then(|region| partition::sts_url(region, false, false).ok()) {
            values = values.with(slot::ENDPOINT, &url, Word::url(&url));
        }
        values
    }

    /// What lets the webhook set both variables again: it adds neither where the pod has one.
    pub(super) fn webhook_steps(&self, values: Values) -> (Values, Vec<&'static Template>) {
        let requested = [&self.requested.role_arn, &self.requested.token_file];
        let sources: Vec<&str> = if self.by_agent() {
            let pair = [settings::agent::URI_VARIABLE, settings::agent::TOKEN_FILE_VARIABLE];
            pair.into_iter().filter(|name| self.evidence.environment.get(name).is_some()).collect()
        } else {
            requested.into_iter().flatten().map(|value| value.source.as_str()).collect()
        };
        let joined = sources.join(" and ");
        // A profile's setting stands in a file, which no webhook writes.
        if let Some(token_file) = &self.requested.token_file
            && token_file.is_of_a_file()
        {
            let values = values.with_text(slot::VARIABLE, &token_file.source);
            let of_agent = token_file.value.starts_with(settings::POD_IDENTITY_MOUNT);
            return (
                values,
                vec![if of_agent { &common::USE_ECS_CONTAINER } else { &common::CORRECT_PROFILE }],
            );
        }
        if self.compatible() {
            // No webhook gives this pod its token: whoever wrote the pod spec did.
            return (values.with_text(slot::VARIABLE, joined), vec![&common::PROJECT_FOR_SERVER]);
        }
        let variables: Vec<&str> =
            sources.iter().copied().filter(|source| source.starts_with("AWS_")).collect();
        let named = |values: Values, slot, name: &str| values.with(slot, name, Word::variable_name(name));
        let (values, of_eks, of_other): (_, &'static Template, &'static Template) = match variables.as_slice()
        {
            [one] => (
                named(values, slot::VARIABLE, one),
                &common::LET_WEBHOOK_SET_ONE,
                &common::LET_ITS_WEBHOOK_SET_ONE,
            ),
            [one, two, ..] => (
                named(named(values, slot::VARIABLE, one), slot::SECOND, two),
                &common::LET_WEBHOOK_SET_BOTH,
                &common::LET_ITS_WEBHOOK_SET_BOTH,
            ),
            [] => return (values.with_text(slot::VARIABLE, joined), vec![&common::CORRECT_FLAG]),
        };
        if !self.is_self_hosted() || self.by_agent() {
            return (values, vec![of_eks]);
        }
        let by_hand = match (&self.requested.role_arn, &self.requested.token_file) {
            (Some(_), None) => {
                "keep it, mount a projected token for sts.amazonaws.com, and name its file in AWS_WEB_IDENTITY_TOKEN_FILE"
            }
            (None, _) => "keep it, and name the role in AWS_ROLE_ARN",
            _ => {
                "keep both and mount a projected token for sts.amazonaws.com where AWS_WEB_IDENTITY_TOKEN_FILE points"
            }
        };
        let mut steps = vec![&common::PROJECT_BY_HAND, of_other];
        if variables.len() == 1 {
            // Of both, a report has no room for it beside what became of the file.
            steps.insert(0, &environment::SEE_WEBHOOK);
        }
        (values.with_text(slot::VALUE, by_hand), steps)
    }

    /// What takes another server out of the way: a configured endpoint, a proxy; nothing where neither is there.
    /// Another server than AWS's may be meant: then nothing is removed.
    pub(super) fn out_of_the_way(&self, values: Values) -> (Values, Vec<Template>) {
        let configured = self.route.endpoint.as_ref().ok().and_then(|endpoint| endpoint.configured_by);
        let proxied = self.evidence.network.as_ref().is_some_and(|network| network.proxy.is_some());
        let mut steps = match configured {
            Some("AWS_ENDPOINT_URL") => vec![common::NARROW_ENDPOINT, common::GIVE_STS_ITS_ENDPOINT],
            Some(variable) if variable.starts_with("AWS_") => {
                vec![common::SEE_VARIABLES, common::UNSET_VARIABLE]
            }
            Some(_) => vec![common::CORRECT_SETTING],
            None if proxied => vec![network::ALLOW_AT_PROXY, network::BYPASS_PROXY],
            None => Vec::new(),
        };
        if self.leads_to_another_server()
            && let Some(last) = steps.pop()
        {
            let meant = if self.compatible() { network::SEE_TO_SERVER } else { network::STATE_SERVER };
            steps = if last.run.is_empty() { Vec::new() } else { vec![common::SEE_VARIABLES] };
            steps.extend([meant, last.when("AWS’s STS is meant")]);
        }
        (values, steps)
    }
}

impl Finding {
    /// With looks first, then what lets the webhook set both variables again.
    pub(super) fn webhook(self, facts: &Facts<'_>, values: Values, looks: &[&'static Template]) -> Self {
        let (values, steps) = facts.webhook_steps(values);
        let of_a_file = facts.requested.token_file.as_ref().is_some_and(Sourced::is_of_a_file);
        let this = if of_a_file { self.restart(Restart::Container) } else { self };
        this.steps(&values, looks).steps(&values, &steps)
    }
}

/// As `--workload` states it. A Job's template cannot be changed, and neither a Job nor a CronJob can be rolled out again.
fn stated_workload(values: Values, workload: &Workload) -> Values {
    let text = workload.to_string();
    let word = Word::workload(&text);
    let changeable = !text.starts_with("job/") && !text.starts_with("pod/");
    let rolls = changeable && !text.starts_with("cronjob/") && !text.starts_with("replicaset/");
    let of = |holds: bool| if holds { word.clone() } else { Word::NONE };
    values.with(slot::WORKLOAD, &text, of(changeable)).with(slot::ROLLOUT, &text, of(rolls))
}

/// What made the pod, guessed from its name.
fn guessed_workload(values: Values, pod: &str) -> Values {
    let Some((kind, name)) = guessed(pod) else { return values };
    let text = format!("{kind}/{name}, a guessed name");
    let word = Word::from(kind).then("/".into()).then(Word::dns(name));
    values.with(slot::WORKLOAD, &text, &word).with(slot::ROLLOUT, text, word)
}

/// `NAME-HASH-SUFFIX` of a Deployment with the alphabet of kubernetes `apimachinery/pkg/util/rand`, or `NAME-0` of a
/// StatefulSet. A DaemonSet's pod looks like a Job's.
fn guessed(pod: &str) -> Option<(&'static str, &str)> {
    let random = |part: &str| part.bytes().all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte));
    let (rest, suffix) = pod.rsplit_once('-')?;
    let number = suffix.len() <= 4 && suffix.bytes().all(|byte| byte.is_ascii_digit()) && !suffix.is_empty();
    if number && (suffix == "0" || !suffix.starts_with('0')) {
        return Some(("statefulset", rest));
    }
    let (name, hash) = rest.rsplit_once('-')?;
    (suffix.len() == 5 && random(suffix) && (6..=10).contains(&hash.len()) && random(hash))
        .then_some(("deployment", name))
}

#[cfg(test)]
mod tests {
    use super::guessed;

    #[test]
    fn a_workload_is_read_out_of_its_pods_name() {
        for (pod, workload) in [
            ("checkout-7d9f8b6c5-x2x4q", Some(("deployment", "checkout"))),
            ("my-shop-api-5d59d67564-kqr9z", Some(("deployment", "my-shop-api"))),
            ("postgres-0", Some(("statefulset", "postgres"))),
            ("postgres-12", Some(("statefulset", "postgres"))),
            ("etl-28000000-aeiou", None),
            ("agent-x2x4q", None),
            ("checkout", None),
            ("x-01", None),
        ] {
            assert_eq!(guessed(pod), workload, "{pod}");
        }
    }
}
