//! Repairs that several judges print: commands with the pod's, the deployment's and the endpoint's real names. Pure.
//! What restarts or overwrites says so behind the command; a name that is not known gives no command.

use super::case::Case;
use super::shell;
use crate::evidence::Network;
use crate::finding::Finding;
use crate::plan;

impl Case<'_> {
    /// Namespace and `deployment/NAME`, where the pod's name tells it.
    pub(super) fn deployment(&self) -> Option<(&str, String)> {
        let name = self.pod_name().and_then(deployment)?;
        Some((self.namespace()?, format!("deployment/{name}")))
    }

    /// Adds `kubectl VERB… -n NAMESPACE deployment/NAME WORDS…`, where the pod's name tells the deployment.
    pub(super) fn deployment_command(
        &self,
        finding: Finding,
        verb: &[&str],
        words: &[&str],
        note: &str,
    ) -> Finding {
        let Some((namespace, deployment)) = self.deployment() else { return finding };
        let command = [&["kubectl"], verb, &["-n", namespace, &deployment], words].concat();
        finding.fix_note(shell::command(&command), note)
    }

    /// Adds the command that sets (`NAME=VALUE`) or removes (`NAME-`) variables of the deployment's containers.
    pub(super) fn set_env(&self, finding: Finding, changes: &[&str]) -> Finding {
        self.deployment_command(
            finding,
            &["set", "env"],
            changes,
            "changes all its containers, restarts the deployment's pods",
        )
    }

    /// Adds what lets the webhook set both variables again: it adds neither where the pod spec has one.
    pub(super) fn let_webhook_inject(&self, finding: Finding) -> Finding {
        let requested = [&self.requested.role_arn, &self.requested.token_file];
        let sources: Vec<&str> = if self.by_agent() {
            let pair = [plan::agent::URI_VARIABLE, plan::agent::TOKEN_FILE_VARIABLE];
            pair.into_iter().filter(|name| self.evidence.environment.get(name).is_some()).collect()
        } else {
            requested.into_iter().flatten().map(|value| value.source.as_str()).collect()
        };
        let finding = finding.fix(format!(
            "# remove {} from the container's env in the pod spec, so that the webhook sets both and mounts the token",
            sources.join(" and ")
        ));
        let removals: Vec<String> = sources
            .iter()
            .filter(|source| source.starts_with("AWS_"))
            .map(|source| format!("{source}-"))
            .collect();
        let removals: Vec<&str> = removals.iter().map(String::as_str).collect();
        let finding = if removals.is_empty() { finding } else { self.set_env(finding, &removals) };
        self.recreate(finding)
    }

    /// Adds the command that shows what kubelet said of this pod, where its names are known.
    pub(super) fn events(&self, finding: Finding) -> Finding {
        match self.account().zip(self.pod_name()) {
            Some((account, pod)) => finding.confirm_command(&[
                "kubectl",
                "get",
                "events",
                "-n",
                account.namespace,
                "--field-selector",
                &format!("involvedObject.name={pod}"),
            ]),
            None => finding,
        }
    }

    /// Adds the command that recreates the pod, where its names are known.
    pub(super) fn recreate(&self, finding: Finding) -> Finding {
        match (self.namespace(), self.pod_name()) {
            (Some(namespace), Some(pod)) => finding.fix_note(
                shell::command(&["kubectl", "delete", "pod", "-n", namespace, pod]),
                "restarts: its controller makes a new pod, which the webhook sees again",
            ),
            _ => finding.fix(
                "# delete this pod so that its controller makes a new one: the webhook acts on new pods only",
            ),
        }
    }

    /// Adds what shows and removes a mesh or a policy between the pod and port 443.
    ///
    /// Meshes capture the traffic of init containers before their proxy runs; both annotations leave port 443
    /// alone (istio `traffic.sidecar.istio.io`, linkerd `config.linkerd.io`), each ignored by the other.
    pub(super) fn pass_the_mesh(&self, finding: Finding) -> Finding {
        let finding = match self.namespace() {
            Some(namespace) => {
                finding.confirm_command(&["kubectl", "get", "networkpolicy", "-n", namespace, "-o", "yaml"])
            }
            None => finding,
        };
        const LEAVE_443: &str = r#"{"spec":{"template":{"metadata":{"annotations":{"traffic.sidecar.istio.io/excludeOutboundPorts":"443","config.linkerd.io/skip-outbound-ports":"443"}}}}}"#;
        self.deployment_command(
            finding,
            &["patch"],
            &["-p", LEAVE_443],
            "where a mesh runs: its proxy leaves port 443 alone; replaces such a list that is there, restarts the deployment's pods",
        )
    }

    /// Adds what takes another server out of the way to `host`: a configured endpoint, a proxy, else DNS or a mesh.
    pub(super) fn reach_sts_itself(&self, finding: Finding, host: &str) -> Finding {
        let configured = self.route.endpoint.as_ref().ok().and_then(|endpoint| endpoint.configured_by);
        let proxied = self.evidence.network.as_ref().is_some_and(|network| network.proxy.is_some());
        match configured {
            Some(variable) => self.set_env(finding, &[&format!("{variable}-")]),
            None if proxied => self.pass_the_proxy(finding, host),
            None => self.pass_the_mesh(finding.confirm(COREDNS)),
        }
    }

    /// Adds the command that puts `host` on the list of names that go past the proxy.
    pub(super) fn pass_the_proxy(&self, finding: Finding, host: &str) -> Finding {
        let environment = &self.evidence.environment;
        let (name, present) = match (environment.get("NO_PROXY"), environment.get("no_proxy")) {
            (None, Some(present)) => ("no_proxy", Some(present)),
            (present, _) => ("NO_PROXY", present),
        };
        let value = present.map_or_else(|| host.to_owned(), |present| format!("{present},{host}"));
        self.set_env(finding, &[&format!("{name}={value}")])
    }

    /// Adds the command that lets the VPC reach the interface endpoint which has this address.
    pub(super) fn open_security_group(&self, finding: Finding, network: &Network) -> Finding {
        let Some(address) = network.addresses.first().map(|attempt| attempt.address.ip().to_string()) else {
            return finding;
        };
        let Some(region) = self.signing_region() else { return finding };
        let filter = format!("Name=addresses.private-ip-address,Values={address}");
        let interface = |query: &str| {
            let words = [
                "aws",
                "ec2",
                "describe-network-interfaces",
                "--region",
                region,
                "--filters",
                &filter,
                "--query",
                query,
                "--output",
                "text",
            ];
            shell::command(&words)
        };
        let finding = finding.confirm_note(
            interface("NetworkInterfaces[].[Description,VpcId,Groups[].GroupId]"),
            "whose address it is, and its security groups",
        );
        let region = shell::quote(region);
        let command = region
            .zip(interface("NetworkInterfaces[0].Groups[0].GroupId"))
            .zip(interface("NetworkInterfaces[0].VpcId"));
        let command = command.map(|((region, group), vpc)| {
            format!(
                "aws ec2 authorize-security-group-ingress --region {region} --protocol tcp --port 443 --group-id \"$({group})\" --cidr \"$(aws ec2 describe-vpcs --region {region} --vpc-ids \"$({vpc})\" --query 'Vpcs[0].CidrBlock' --output text)\""
            )
        });
        finding.fix_note(command, "adds one rule: TCP 443 from the VPC's addresses")
    }

    /// Adds the command that gives the VPC of this pod's node an interface endpoint for STS.
    pub(super) fn create_interface_endpoint(&self, finding: Finding) -> Finding {
        let by_token = || self.token().and_then(|token| token.node_name.as_deref());
        let node = self.evidence.process.node_name.as_deref().or_else(by_token);
        let (Some(node), Some(region)) = (node, self.signing_region()) else {
            return finding
                .fix("# create an interface endpoint for STS with private DNS in the cluster's VPC");
        };
        let filter = format!("Name=private-dns-name,Values={node}");
        let instance = [
            "aws",
            "ec2",
            "describe-instances",
            "--region",
            region,
            "--filters",
            &filter,
            "--query",
            "Reservations[0].Instances[0].[VpcId,SubnetId,SecurityGroups[0].GroupId]",
            "--output",
            "text",
        ];
        let service = match crate::partition::Partition::of_region(region) {
            Some(partition) if partition.id == "aws-cn" => format!("cn.com.amazonaws.{region}.sts"),
            _ => format!("com.amazonaws.{region}.sts"),
        };
        let create = [
            "aws",
            "ec2",
            "create-vpc-endpoint",
            "--region",
            region,
            "--vpc-endpoint-type",
            "Interface",
            "--service-name",
            &service,
            "--private-dns-enabled",
        ];
        let command = shell::command(&instance).zip(shell::command(&create)).map(|(instance, create)| {
            format!(
                "{instance} | while read -r vpc subnet group; do {create} --vpc-id \"$vpc\" --subnet-ids \"$subnet\" --security-group-ids \"$group\"; done"
            )
        });
        finding.fix_note(
            command,
            "an STS endpoint in the node's VPC, for all that runs there; AWS bills it by the hour",
        )
    }

    fn signing_region(&self) -> Option<&str> {
        self.route.endpoint.as_ref().ok().map(|endpoint| endpoint.signing_region.as_str())
    }
}

/// Shows what CoreDNS makes of names.
pub(super) const COREDNS: &str =
    "kubectl -n kube-system get configmap coredns -o yaml  # a rewrite, a hosts block, a forward that lies?";

impl Finding {
    /// A command to repair with a remark behind it.
    pub(super) fn fix_note(mut self, command: Option<String>, note: &str) -> Self {
        self.fix.extend(command.map(|command| format!("{command}  # {note}")));
        self
    }

    /// A command that shows it, with a remark behind it.
    pub(super) fn confirm_note(mut self, command: Option<String>, note: &str) -> Self {
        self.confirm.extend(command.map(|command| format!("{command}  # {note}")));
        self
    }

    /// A command that shows it.
    pub(super) fn confirm_command(mut self, words: &[&str]) -> Self {
        self.confirm.extend(shell::command(words));
        self
    }
}

/// The deployment in a pod's name, `NAME-HASH-SUFFIX` with the alphabet of kubernetes `apimachinery/pkg/util/rand`.
fn deployment(pod: &str) -> Option<&str> {
    let random = |part: &str| part.bytes().all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte));
    let (rest, suffix) = pod.rsplit_once('-')?;
    let (name, hash) = rest.rsplit_once('-')?;
    (suffix.len() == 5 && random(suffix) && (6..=10).contains(&hash.len()) && random(hash)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::deployment;

    #[test]
    fn a_deployment_is_read_out_of_its_pods_name() {
        assert_eq!(deployment("checkout-7d9f8b6c5-x2x4q"), Some("checkout"));
        assert_eq!(deployment("my-shop-api-5d59d67564-kqr9z"), Some("my-shop-api"));
        assert_eq!(deployment("postgres-0"), None);
        assert_eq!(deployment("etl-28000000-aeiou"), None);
    }
}
