//! Repairs that several judges print: commands with the pod's, the deployment's and the endpoint's real names. Pure.
//! What restarts or overwrites says so behind the command; a name that is not known gives no command.

use super::facts::Facts;
use crate::catalog::{Owner, Restart};
use crate::evidence::Network;
use crate::judge::finding::Finding;
use crate::settings::command::{Aws, Tool, Word, words};
use crate::settings::{self, partition};

impl Facts<'_> {
    /// Namespace and `deployment/NAME`, where the pod's name tells it.
    pub(super) fn deployment(&self) -> Option<(Word, Word)> {
        let name = self.pod_name().and_then(deployment)?;
        Some((Word::label(self.namespace()?), Word::dns(name).after("deployment/")))
    }

    /// What prints commands of the AWS CLI, where STS is AWS's.
    pub(super) fn aws(&self) -> Option<Aws> {
        Aws::unless(self.compatible())
    }

    /// Adds the command that annotates the pod's service account, where the webhook of EKS reads it.
    pub(super) fn annotate(&self, finding: Finding, annotation: Word, note: &str) -> Finding {
        let command = self.account().filter(|_| !self.compatible()).and_then(|account| {
            Tool::Kubectl.run(words![
                "annotate",
                "serviceaccount",
                "-n",
                Word::label(account.namespace),
                Word::dns(account.name),
                annotation,
                "--overwrite",
            ])
        });
        finding.fix_note(command, note)
    }

    /// Adds the command that shows the annotations of the pod's service account.
    pub(super) fn show_annotations(&self, finding: Finding) -> Finding {
        let Some(account) = self.account() else { return finding };
        finding.confirm_command(Tool::Kubectl.run(words![
            "get",
            "serviceaccount",
            "-n",
            Word::label(account.namespace),
            Word::dns(account.name),
            "-o",
            "jsonpath={.metadata.annotations}",
        ]))
    }

    /// Adds `kubectl VERB… -n NAMESPACE deployment/NAME WORDS…`, where the pod's name tells the deployment.
    pub(super) fn deployment_command(
        &self,
        finding: Finding,
        verb: &[Word],
        words: &[Word],
        note: &str,
    ) -> Finding {
        let Some((namespace, deployment)) = self.deployment() else { return finding };
        let command = [verb, words!["-n", namespace, deployment], words].concat();
        finding.fix_note(Tool::Kubectl.run(&command), note)
    }

    /// Adds the command that sets (`NAME=VALUE`) or removes (`NAME-`) variables of the deployment's containers.
    pub(super) fn set_env(&self, finding: Finding, changes: &[Word]) -> Finding {
        // A container keeps its environment. Where the fault is the network's, a variable is only another way around it.
        let is_the_pods = finding.owner == Some(Owner::Pod);
        self.deployment_command(
            if is_the_pods { finding.restart(Restart::Pod) } else { finding },
            words!["set", "env"],
            changes,
            "changes all its containers, restarts the deployment's pods",
        )
    }

    /// Adds the command that removes variables of the deployment's containers.
    pub(super) fn unset_env(&self, finding: Finding, names: &[&str]) -> Finding {
        let changes: Vec<Word> = names.iter().map(|name| Word::variable_name(name).before("-")).collect();
        self.set_env(finding, &changes)
    }

    /// Adds the command that sets the region in the deployment's containers, under both names.
    pub(super) fn set_region(&self, finding: Finding, region: &str) -> Finding {
        let region = Word::region(region);
        let changes = words![region.clone().after("AWS_REGION="), region.after("AWS_DEFAULT_REGION=")];
        self.set_env(finding, changes)
    }

    /// Adds what lets the webhook set both variables again: it adds neither where the pod spec has one.
    pub(super) fn let_webhook_inject(&self, finding: Finding) -> Finding {
        let requested = [&self.requested.role_arn, &self.requested.token_file];
        let sources: Vec<&str> = if self.by_agent() {
            let pair = [settings::agent::URI_VARIABLE, settings::agent::TOKEN_FILE_VARIABLE];
            pair.into_iter().filter(|name| self.evidence.environment.get(name).is_some()).collect()
        } else {
            requested.into_iter().flatten().map(|value| value.source.as_str()).collect()
        };
        // A profile's setting stands in a file, which no webhook writes.
        if let Some(token_file) = &self.requested.token_file
            && token_file.is_of_a_file()
        {
            let mechanism = settings::POD_IDENTITY_MOUNT;
            return if token_file.value.starts_with(mechanism) {
                self.recreate(finding.fix(format!(
                    "# {} is the token of EKS Pod Identity, which the agent takes and STS does not: in that profile write credential_source = EcsContainer in its place",
                    token_file.source
                )))
            } else {
                correct_in_file(finding, &token_file.source)
            };
        }
        if self.compatible() {
            // No webhook gives this pod its token: whoever wrote the pod spec did.
            return finding.fix(format!(
                "# in the pod spec: let {} name a projected volume of the pod's own, with the audience that the server knows",
                sources.join(" and ")
            ));
        }
        let finding = finding.fix(format!(
            "# remove {} from the container's env in the pod spec, so that the webhook sets both and mounts the token",
            sources.join(" and ")
        ));
        let finding =
            if self.is_self_hosted() && !self.by_agent() { finding.fix(PROJECTED) } else { finding };
        let names: Vec<&str> = sources.into_iter().filter(|source| source.starts_with("AWS_")).collect();
        let finding = if names.is_empty() { finding } else { self.unset_env(finding, &names) };
        self.recreate(finding)
    }

    /// Adds what shows whether the service account is still there: the kubelet gets no token for one that was deleted, and says
    /// so in its log alone.
    pub(super) fn account_may_be_gone(&self, finding: Finding) -> Finding {
        let Some(account) = self.account() else { return finding };
        let show = Tool::Kubectl.run(words![
            "get",
            "serviceaccount",
            "-n",
            Word::label(account.namespace),
            Word::dns(account.name)
        ]);
        finding.confirm_note(show, "NotFound: it was deleted, and the kubelet gets no further token")
            .fix("# where the serviceaccount is gone: make it anew with its annotation first, for without it no new pod is made")
    }

    /// Adds the command that shows what kubelet said of this pod, where its names are known.
    pub(super) fn events(&self, finding: Finding) -> Finding {
        match self.account().zip(self.pod_name()) {
            Some((account, pod)) => finding.confirm_command(Tool::Kubectl.run(words![
                "get",
                "events",
                "-n",
                Word::label(account.namespace),
                "--field-selector",
                Word::dns(pod).after("involvedObject.name="),
            ])),
            None => finding,
        }
    }

    /// Adds the command that recreates the pod, where its names are known.
    pub(super) fn recreate(&self, finding: Finding) -> Finding {
        let command = self.namespace().zip(self.pod_name()).and_then(|(namespace, pod)| {
            Tool::Kubectl.run(words!["delete", "pod", "-n", Word::label(namespace), Word::dns(pod)])
        });
        match (command, self.compatible()) {
            (Some(command), false) => finding.fix_note(
                Some(command),
                "restarts: its controller makes a new pod, which the webhook sees again",
            ),
            (Some(command), true) => {
                finding.fix_note(Some(command), "restarts: its controller makes a new pod")
            }
            (None, false) => finding.fix(
                "# delete this pod so that its controller makes a new one: the webhook acts on new pods only",
            ),
            (None, true) => finding.fix("# delete this pod so that its controller makes a new one"),
        }
    }

    /// Adds what shows a policy between the pod and port 443, and what a mesh there needs.
    ///
    /// Nothing takes port 443 out of the mesh: that would be all HTTPS of the pod.
    pub(super) fn bypass_mesh(&self, finding: Finding) -> Finding {
        let finding = match self.namespace() {
            Some(namespace) => finding.confirm_command(networkpolicies(namespace)),
            None => finding,
        };
        let host = self.route.endpoint.as_ref().map_or("STS", |endpoint| endpoint.host.as_str());
        finding.fix_note(
            Some("kubectl get serviceentry,sidecar -A"),
            &format!("where istio runs: a mesh with a closed registry needs a ServiceEntry for {host}, port 443, and linkerd an EgressNetwork; and the app is to start after the proxy: holdApplicationUntilProxyStarts, or the mesh's native sidecar"),
        )
    }

    /// Adds what takes another server out of the way to `host`: a configured endpoint, a proxy, else DNS or a mesh.
    pub(super) fn remove_interception(&self, finding: Finding, host: &str) -> Finding {
        let configured = self.route.endpoint.as_ref().ok().and_then(|endpoint| endpoint.configured_by);
        let proxied = self.evidence.network.as_ref().is_some_and(|network| network.proxy.is_some());
        match configured {
            Some("AWS_ENDPOINT_URL") => self.give_sts_its_endpoint(finding),
            Some(setting) if settings::is_in_file(setting) => {
                finding.fix(format!("# correct {setting}, or take it out of the config file"))
            }
            Some(variable) => self.unset_env(finding, &[variable]),
            None if proxied => self.add_no_proxy(finding, host),
            None => self.bypass_mesh(show_coredns(finding)),
        }
    }

    /// Adds the command that leads STS back to its own host and leaves other services where `AWS_ENDPOINT_URL` leads them.
    fn give_sts_its_endpoint(&self, finding: Finding) -> Finding {
        let finding = finding.fix("# AWS_ENDPOINT_URL leads every service there: give the one that is meant its own variable, AWS_ENDPOINT_URL_S3 and the like, in its place; or give STS its own:");
        let by_issuer = self.token().and_then(|token| partition::region_of_issuer(token.iss.as_deref()?));
        let region = self.route.region.as_ref().map(|region| region.value.as_str()).or(by_issuer);
        match region.and_then(|region| partition::sts_url(region, false, false).ok()) {
            Some(url) => self.set_env(finding, &[Word::url(&url).after("AWS_ENDPOINT_URL_STS=")]),
            None => finding,
        }
    }

    /// Adds the command that puts `host` on the list of names that go past the proxy.
    pub(super) fn add_no_proxy(&self, finding: Finding, host: &str) -> Finding {
        let environment = &self.evidence.environment;
        let (name, present) = match (environment.get("NO_PROXY"), environment.get("no_proxy")) {
            (None, Some(present)) => ("no_proxy", Some(present)),
            (present, _) => ("NO_PROXY", present),
        };
        let host = Word::host(host);
        let hosts = match present {
            Some(present) => Word::hosts(present).before(",").then(host),
            None => host,
        };
        self.set_env(finding, &[Word::from(name).before("=").then(hosts)])
    }

    /// Adds the command that lets the VPC reach the interface endpoint which has this address.
    pub(super) fn open_security_group(&self, finding: Finding, network: &Network) -> Finding {
        let Some(address) = network.addresses.first().map(|attempt| attempt.address.ip()) else {
            return finding;
        };
        let (Some(region), Some(aws)) = (self.signing_region(), self.aws()) else { return finding };
        let filter = Word::from(address).after("Name=addresses.private-ip-address,Values=");
        let interface = |query: &'static str| {
            aws.run(words![
                "ec2",
                "describe-network-interfaces",
                "--region",
                &region,
                "--filters",
                &filter,
                "--query",
                query,
                "--output",
                "text",
            ])
        };
        let finding = finding.confirm_note(
            interface("NetworkInterfaces[].[Description,VpcId,Groups[].GroupId]"),
            "whose address it is, and its security groups",
        );
        let addresses = aws.run(words![
            "ec2",
            "describe-vpcs",
            "--region",
            &region,
            "--vpc-ids",
            Word::output_of(interface("NetworkInterfaces[0].VpcId")),
            "--query",
            "Vpcs[0].CidrBlock",
            "--output",
            "text",
        ]);
        let command = aws.run(words![
            "ec2",
            "authorize-security-group-ingress",
            "--region",
            &region,
            "--protocol",
            "tcp",
            "--port",
            "443",
            "--group-id",
            Word::output_of(interface("NetworkInterfaces[0].Groups[0].GroupId")),
            "--cidr",
            Word::output_of(addresses),
        ]);
        finding.fix_note(command, "adds one rule: TCP 443 from the VPC's addresses")
    }

    /// Adds the command that gives the VPC of this pod's node an interface endpoint for STS.
    pub(super) fn create_interface_endpoint(&self, finding: Finding) -> Finding {
        let by_token = || self.token().and_then(|token| token.node_name.as_deref());
        let node = self.evidence.process.node_name.as_deref().or_else(by_token);
        let command = node.zip(self.signing_region()).and_then(|(node, region)| {
            let china = region.text().is_some_and(|region| region.starts_with("cn-"));
            let prefix = if china { "cn.com.amazonaws." } else { "com.amazonaws." };
            let service = region.clone().after(prefix).before(".sts");
            interface_endpoint(self.aws()?, node, &region, service)
        });
        match command {
            Some(command) => finding.fix_note(
                Some(command),
                "an STS endpoint in the node's VPC, for all that runs there; AWS bills it by the hour",
            ),
            None => {
                finding.fix("# create an interface endpoint for STS with private DNS in the cluster's VPC")
            }
        }
    }

    pub(super) fn signing_region(&self) -> Option<Word> {
        self.route.endpoint.as_ref().ok().map(|endpoint| Word::region(&endpoint.signing_region))
    }
}

/// Adds where a profile's setting is corrected. Apps read such a file when they start.
pub(super) fn correct_in_file(finding: Finding, source: &str) -> Finding {
    finding.restart(Restart::Container).fix(format!("# correct {source} in its file"))
}

/// What the webhook would write into the pod spec, for a cluster that has none.
const PROJECTED: &str = "# the issuer is not one of EKS: where the cluster has no webhook, keep both variables and add the volume by hand, volumes: [{name: aws-token, projected: {sources: [{serviceAccountToken: {audience: sts.amazonaws.com, path: token, expirationSeconds: 86400}}]}}], with volumeMounts: [{name: aws-token, mountPath: /var/run/secrets/eks.amazonaws.com/serviceaccount, readOnly: true}]";

/// How EC2 knows a node: by its name there, of EKS Auto Mode by its id. `None`: it is none of EC2's.
pub(super) fn instance(node: &str) -> Option<(Word, Word)> {
    match node.contains('.') {
        true => Some(("--filters".into(), Word::dns(node).after("Name=private-dns-name,Values="))),
        false => node.starts_with("i-").then(|| ("--instance-ids".into(), Word::dns(node))),
    }
}

/// Gives the VPC of `node` an interface endpoint for `service`.
pub(super) fn interface_endpoint(aws: Aws, node: &str, region: &Word, service: Word) -> Option<String> {
    let (option, node) = instance(node)?;
    let instance = aws.run(words![
        "ec2",
        "describe-instances",
        "--region",
        region,
        option,
        node,
        "--query",
        "Reservations[0].Instances[0].[VpcId,SubnetId,SecurityGroups[0].GroupId]",
        "--output",
        "text",
    ])?;
    let create = aws.run(words![
        "ec2",
        "create-vpc-endpoint",
        "--region",
        region,
        "--vpc-endpoint-type",
        "Interface",
        "--service-name",
        service,
        "--private-dns-enabled",
        "--vpc-id",
        Word::variable("vpc"),
        "--subnet-ids",
        Word::variable("subnet"),
        "--security-group-ids",
        Word::variable("group"),
    ])?;
    Some(format!("{instance} | while read -r vpc subnet group; do {create}; done"))
}

/// Shows the policies that may keep pods of the namespace from a host.
pub(super) fn networkpolicies(namespace: &str) -> Option<String> {
    Tool::Kubectl.run(words!["get", "networkpolicy", "-n", Word::label(namespace), "-o", "yaml"])
}

/// Shows what CoreDNS makes of names.
pub(super) fn show_coredns(finding: Finding) -> Finding {
    finding.confirm_note(Some(COREDNS), "a rewrite, a hosts block, a forward that lies?")
}

pub(super) const COREDNS: &str = "kubectl -n kube-system get configmap coredns -o yaml";

impl Finding {
    /// A command to repair below its remark. Not behind it: not every shell takes a remark there.
    pub(super) fn fix_note(self, command: Option<impl Into<String>>, note: &str) -> Self {
        match command {
            Some(command) => self.fix(format!("# {note}")).fix(command),
            None => self,
        }
    }

    /// A command that shows it, below its remark.
    pub(super) fn confirm_note(self, command: Option<impl Into<String>>, note: &str) -> Self {
        match command {
            Some(command) => self.confirm(format!("# {note}")).confirm(command),
            None => self,
        }
    }

    /// A command that shows it.
    pub(super) fn confirm_command(self, command: Option<String>) -> Self {
        match command {
            Some(command) => self.confirm(command),
            None => self,
        }
    }

    /// Shows and sets the clock of the node, from which a pod has its own.
    pub(super) fn set_clock(self) -> Self {
        self.confirm_note(Some("chronyc tracking"), "on the node").fix_note(
            Some("chronyc makestep"),
            "on the node, as root, where its clock is wrong; EC2's time source is 169.254.169.123",
        )
    }

    /// Commands that repair it.
    pub(super) fn fix_commands(self, commands: Vec<String>) -> Self {
        commands.into_iter().fold(self, Self::fix)
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
