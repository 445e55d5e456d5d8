//! Texts of codes 80 to 88: the Pod Identity agent and the EKS Auth service behind it.
//! The agent's errors name neither role nor missing action, so all candidates stand here.

use super::{Texts, common, environment};
use crate::steps::template::Template;

pub(crate) const SEE_AGENT: Template = Template::look(
    "See whether the agent runs on this pod’s node:",
    "kubectl get pods -n kube-system -o wide -l app.kubernetes.io/name=eks-pod-identity-agent --field-selector spec.nodeName={node}",
);

pub(crate) const SEE_DAEMON_SET: Template = Template::look(
    "See whether the cluster has the agent:",
    "kubectl get daemonset -n kube-system -l app.kubernetes.io/name=eks-pod-identity-agent",
);

pub(crate) const SEE_LOG_OF_NODE: Template = Template::look(
    "Read the log of the agent on this node:",
    "kubectl get pods -n kube-system -l app.kubernetes.io/name=eks-pod-identity-agent --field-selector spec.nodeName={node} -o name | xargs -r kubectl logs -n kube-system --tail=50",
);

pub(crate) const SEE_LOG: Template = Template::look(
    "Read the log of the agents:",
    "kubectl logs -n kube-system -l app.kubernetes.io/name=eks-pod-identity-agent",
);

pub(crate) const INSTALL_ADD_ON: Template = Template::change_in_words(
    "install add-on eks-pod-identity-agent. Auto Mode has it.",
    "the cluster’s add-ons",
)
.when("There is none");

pub(crate) const AGENT_STARTS: Template =
    Template::words("wait, it starts with the node.").when("The agent’s pod is Pending or not Ready");

pub(crate) const AGENT_FAILS: Template = Template::change_in_words(
    "read its log. Port 80 may be taken.",
    "the node, or the add-on’s configuration",
)
.when("The agent’s pod fails");

pub(crate) const REPLACE_AUTO_NODE: Template = Template::change_in_words(
    "The node is one of EKS Auto Mode, which has the agent built in. If waiting does not help, let Auto Mode replace the node, \
     and name it to AWS Support.",
    "the node, which is replaced",
);

pub(crate) const ENABLE_HYBRID: Template = Template::change_in_words(
    "set daemonsets.hybrid.create in the add-on, and enableCredentialsFile in the NodeConfig.",
    "the add-on’s configuration and the node’s",
)
.when("It is a hybrid node");

pub(crate) const ALLOW_AGENT: Template = Template::change_in_words(
    "allow TCP port 80 to 169.254.170.23/32 and fd00:ec2::23/128. For Cilium the agent is the entity host.",
    "a network policy: the agent’s addresses are allowed",
)
.when("A network policy limits egress");

/// The agent's port is 80.
pub(crate) const SEE_NETWORK_POLICIES: Template = Template::look(
    "See whether a network policy of the namespace limits egress:",
    "kubectl get networkpolicy -n {namespace} -o yaml",
);

pub(crate) const REMOVE_RULE: Template = Template::change_in_words(
    "let whoever makes the node’s image remove it.",
    "the firewall rules of the node",
)
.when("The node has such a rule");

/// cilium/cilium#35989.
pub(crate) const LEGACY_ROUTING: Template = Template::change_in_words(
    "its BPF host routing drops the agent’s address, since 1.16. Upgrade it, or set bpf.hostLegacyRouting.",
    "the configuration of the cluster’s network",
)
.when("Neither, and Cilium runs here");

/// cilium/cilium#40273.
pub(crate) const LED_ELSEWHERE: Template = Template::change_in_words(
    "the network leads its address elsewhere, as Cilium does for a hostPort 80. Upgrade Cilium, or free the port.",
    "the configuration of the cluster’s network",
)
.when("The agent’s pod is Ready");

pub(crate) const SEE_RULES_OF_NODE: Template = Template::look(
    "On {node}, see whether the firewall has a rule against it:",
    "iptables-save | grep 169.254.170.23",
);

pub(crate) const CREATE_ADD_ON: Template = Template::change(
    "Install the add-on on all EC2 nodes of the cluster:",
    "aws eks create-addon --region {region} --cluster-name {cluster} --addon-name eks-pod-identity-agent",
    "the cluster’s add-ons: one is installed on all nodes",
);

pub(crate) const UNREACHABLE: Texts = Texts {
    meaning: "Nothing answers at the Pod Identity agent’s address.",
    restart: "",
    causes: &[
        "The add-on eks-pod-identity-agent is not installed, or not yet running on this node.",
        "The agent crashes: port 80 of the node is taken, or IPv6 is switched off and it cannot bind to fd00:ec2::23.",
        "A network policy drops the traffic. The agent is an address of the node, for Cilium the entity host.",
        "Firewall rules on the node, as of hardening scripts, drop 169.254.170.23.",
        "Cilium leads the agent’s address to a pod with hostPort 80, or drops it with BPF host routing since 1.16.",
    ],
    steps: &[&SEE_AGENT, &SEE_LOG, &AGENT_STARTS, &AGENT_FAILS, &INSTALL_ADD_ON, &ENABLE_HYBRID],
    beyond: &[&CREATE_ADD_ON],
};

pub(crate) const LEAVE_FARGATE: Template = Template::change_in_words(
    "let whoever runs the cluster change the Fargate profile’s selector, so that the pod gets an EC2 node.",
    "the Fargate profile, or the pod’s labels",
)
.when("Pod Identity is meant");

pub(crate) const USE_IRSA: Template = Template::change_in_words(
    "give the workload another service account, with the annotation eks.amazonaws.com/role-arn, without an association, and \
     admitted by the role’s trust policy. IRSA works on every node.",
    "the workload’s service account",
)
.when("The pod stays where it is");

pub(crate) const UNSUPPORTED: Texts = Texts {
    meaning: "The Pod Identity agent does not exist on this kind of node.",
    restart: "a pod keeps its node",
    causes: &[
        "The pod was placed on Fargate or on a Windows node.",
        "A Fargate profile selects the namespace although the pod was meant for EC2 nodes.",
    ],
    steps: &[&common::SEE_SERVICE_ACCOUNT, &LEAVE_FARGATE, &USE_IRSA],
    beyond: &[],
};

pub(crate) const SEE_HOST_NETWORK: Template = Template::look(
    "See which pods share the node’s network and may have its port 80:",
    "kubectl get pods -A --field-selector spec.nodeName={node} -o 'jsonpath={range .items[?(@.spec.hostNetwork==true)]}{.metadata.namespace}{\"/\"}{.metadata.name}{\"\\n\"}{end}'",
);

pub(crate) const MOVE_PORT: Template =
    Template::change_in_words("move it to another port or address.", "what listens on port 80 of the node")
        .when("One of them has port 80, for example an ingress controller");

pub(crate) const LEAVE_MESH: Template = Template::change_in_words(
    "let it leave 169.254.170.23/32 out: annotation traffic.sidecar.istio.io/excludeOutboundIPRanges for Istio, \
     config.linkerd.io/skip-subnets for Linkerd. Then make new pods.",
    "the annotations of the pod template",
)
.when("A mesh captures the traffic");

pub(crate) const NOT_AGENT: Texts = Texts {
    meaning: "Something else answers at the agent’s address.",
    restart: "",
    causes: &[
        "Another process with hostNetwork has port 80 of the node: an ingress controller, HAProxy.",
        "A mesh’s sidecar captures the traffic.",
        "HTTP_PROXY is set and NO_PROXY lacks the agent’s addresses, so that the proxy answers SDKs.",
    ],
    steps: &[&SEE_AGENT, &SEE_HOST_NETWORK, &MOVE_PORT, &LEAVE_MESH],
    beyond: &[],
};

pub(crate) const STATE_URI: Template = Template::look(
    "If it is meant, state the same address in the debug container:",
    "env AWS_CONTAINER_CREDENTIALS_FULL_URI={value} credprobe check --target-pid={pid}",
);

pub(crate) const URI_REFUSED: Texts = Texts {
    meaning: "SDKs refuse the host that the agent’s URI names.",
    restart: "a container keeps its environment",
    causes: &[
        "AWS_CONTAINER_CREDENTIALS_FULL_URI was set by hand to a name or an address that is not the agent’s.",
        "Over http SDKs accept only loopback, 169.254.170.2, 169.254.170.23 and fd00:ec2::23.",
        "The value is not a URL, or lacks the brackets of an IPv6 address.",
    ],
    steps: &[&common::SEE_VARIABLES, &common::LET_WEBHOOK_SET_BOTH],
    beyond: &[],
};

pub(crate) const TOKEN_REJECTED: Texts = Texts {
    meaning: "The agent or EKS Auth refused the token.",
    restart: "",
    causes: &[
        "The audience is not pods.eks.amazonaws.com: the variable names another token.",
        "The token has expired, or a clock is wrong.",
        "The token is not bound to a living pod, or is another pod’s.",
        "The token has a line end, or the word Bearer before it.",
    ],
    steps: &[&common::SEE_VARIABLES, &SEE_LOG, &common::LET_WEBHOOK_SET_BOTH],
    beyond: &[],
};

pub(crate) const SEE_ASSOCIATIONS: Template = Template::look(
    "See the associations of the namespace:",
    "aws eks list-pod-identity-associations --region {region} --cluster-name {cluster} --namespace {namespace} --query 'associations[].[serviceAccount,associationId]' --output text",
);

/// EKS refuses a second association of a service account: it is additive.
pub(crate) const CREATE_ASSOCIATION: Template = Template::change(
    "create it, for all its pods. The role must be of the cluster’s account:",
    "aws eks create-pod-identity-association --region {region} --cluster-name {cluster} --namespace {namespace} --service-account {service_account} --role-arn {role_arn}",
    "the cluster’s associations: one is added for {sa}",
)
.when("{sa} is missing");

pub(crate) const CREATE_ASSOCIATION_UNKNOWN: Template = Template {
    say: "create it. Set role_arn to a role of this account that admits pods.eks.amazonaws.com:",
    run: "aws eks create-pod-identity-association --region {region} --cluster-name {cluster} --namespace {namespace} --service-account {service_account} --role-arn \"${role_arn:?is not set}\"",
    ..CREATE_ASSOCIATION
};

pub(crate) const OTHER_ACCOUNT: Template =
    Template::change_in_words("correct the pod’s serviceAccountName.", "the workload’s service account")
        .when("Another one is meant");

pub(crate) const TOO_FRESH: Template =
    Template::words("wait some seconds, until EKS knows it everywhere.").when("It is among them");

pub(crate) const ASSOCIATION_MISSING: Texts = Texts {
    meaning: "EKS has no association for this service account.",
    restart: "",
    causes: &[
        "It was made for another namespace or service account, or in another cluster.",
        "The association was deleted after the pod was created.",
        "It is younger than a few seconds.",
    ],
    steps: &[&common::FIND_CLUSTER, &SEE_ASSOCIATIONS, &TOO_FRESH, &OTHER_ACCOUNT, &CREATE_ASSOCIATION],
    beyond: &[],
};

pub(crate) const SEE_ASSOCIATION: Template = Template::look(
    "See the association, with its roleArn, targetRoleArn and policy:",
    "aws eks list-pod-identity-associations --region {region} --cluster-name {cluster} --namespace {namespace} --service-account {service_account} --query 'associations[].associationId' --output text | xargs -n1 aws eks describe-pod-identity-association --region {region} --cluster-name {cluster} --output json --association-id",
);

/// EKS assumes the association's own role only; its target must never let the service in.
pub(crate) const SEE_ASSOCIATED_ROLE: Template = Template::look(
    "In the cluster’s account, see the association and its own role:",
    "role=\"$(aws eks list-pod-identity-associations --region {region} --cluster-name {cluster} --namespace {namespace} --service-account {service_account} --query 'associations[].associationId' --output text | xargs -n1 aws eks describe-pod-identity-association --region {region} --cluster-name {cluster} --output json --association-id | tee /dev/stderr | jq -r '.association.roleArn/\"/\"|last')\" && aws iam get-role --role-name \"${role:?}\"",
);

pub(crate) const ROLE_IS_GONE: Template = Template::change_in_words(
    "create the role again, or associate another one.",
    "the role, or the association",
)
.when("NoSuchEntity");

pub(crate) const CONDITION_FAILS: Template = Template::change_in_words(
    "it needs sts:TagSession, and conditions that hold. With disableSessionTags aws:RequestTag/kubernetes-namespace does not.",
    "the trust policy of the association’s role",
)
.when("One is there");

/// Where the cluster has to be found first, the pipeline would not fit beside what shows the cause.
pub(crate) const ADMIT_SERVICE: Template = Template::change_in_words(
    "add it, see credprobe explain 85.",
    "the trust policy of the association’s role: one statement is added",
)
.when("No statement for pods.eks.amazonaws.com");

/// Idempotent; the old policy is kept in a file that only grows.
pub(crate) const ADD_SERVICE_STATEMENT: Template = Template::change(
    "add one, with the old policy kept in a file:",
    "aws iam get-role --role-name \"${role:?}\" --query Role --output json | tee -a association-role-before.json | jq -c --arg arn {role_arn} --arg ns {namespace} --arg sa {service_account} 'select(.Arn==$arn)|{Effect:\"Allow\",Principal:{Service:\"pods.eks.amazonaws.com\"},Action:[\"sts:AssumeRole\",\"sts:TagSession\"],Condition:{StringEquals:{\"aws:RequestTag/kubernetes-namespace\":$ns,\"aws:RequestTag/kubernetes-service-account\":$sa}}} as $s|.AssumeRolePolicyDocument|.Statement=([.Statement]|flatten)-[$s]+[$s]' | aws iam update-assume-role-policy --role-name \"${role:?}\" --policy-document file:///dev/stdin",
    "the trust policy of the association’s role: one statement is added",
)
.when("No statement lets pods.eks.amazonaws.com do both");

pub(crate) const TWO_ROLES: Template =
    Template::words("it must admit roleArn with both and the externalId.").when("With a targetRoleArn");

pub(crate) const SEE_NODE_POLICIES: Template = Template::look(
    "See the policies of the node’s role:",
    "aws iam list-attached-role-policies --role-name {node_role}",
);

pub(crate) const ATTACH_NODE_POLICY: Template = Template::change(
    "In that account only, attach the policy that allows it to the role of all nodes of this group:",
    "test \"$(aws sts get-caller-identity --query Account --output text)\" = {account} && aws iam attach-role-policy --role-name {node_role} --policy-arn arn:{partition}:iam::aws:policy/AmazonEKSWorkerNodeMinimalPolicy",
    "the policies of the node’s role: one is attached",
);

pub(crate) const SEE_PROVIDER_ID: Template = Template::look(
    "See which instance the node is:",
    "kubectl get node {node} -o 'jsonpath={.spec.providerID}'",
);

pub(crate) const ATTACH_NODE_POLICY_IN_WORDS: Template = Template::change_in_words(
    "Attach AmazonEKSWorkerNodeMinimalPolicy to the role of the node’s instance profile.",
    "the policies of the node’s role: one is attached",
);

pub(crate) const ACCESS_DENIED: Texts = Texts {
    meaning: "The role’s trust or the node role’s permission is missing.",
    restart: "",
    causes: &[
        "The role’s trust policy does not admit the service pods.eks.amazonaws.com, because it was written for IRSA.",
        "It allows sts:AssumeRole and not sts:TagSession. Both are needed.",
        "A condition in it, on aws:SourceArn, aws:SourceAccount or aws:RequestTag, does not hold.",
        "The role was deleted.",
        "The text names eks-auth: then the node’s role lacks eks-auth:AssumeRoleForPodIdentity.",
        "The pod uses hostNetwork, which has been seen to end like this.",
    ],
    steps: &[
        &common::FIND_CLUSTER,
        &SEE_ASSOCIATED_ROLE,
        &ROLE_IS_GONE,
        &CONDITION_FAILS,
        &ADD_SERVICE_STATEMENT,
    ],
    beyond: &[&ATTACH_NODE_POLICY],
};

pub(crate) const SEE_PODS_OF_NODE: Template = Template::look(
    "See which pods of the node restart often:",
    "kubectl get pods -A -o wide --field-selector spec.nodeName={node}",
);

pub(crate) const SPREAD: Template = Template::words(
    "No action is needed: credprobe tries again. Pods that start together can spread out with --start-jitter=10s.",
);

pub(crate) const THROTTLED: Texts = Texts {
    meaning: "The agent or EKS Auth answers that requests are too many.",
    restart: "",
    causes: &[
        "Many pods of one node start at once, or one pod asks without pause.",
        "The account’s quota of EKS Auth in this region is used up.",
    ],
    steps: &[&SEE_LOG, &SEE_PODS_OF_NODE, &SPREAD],
    beyond: &[],
};

pub(crate) const SEE_EKS_AUTH_ENDPOINTS: Template = Template::look(
    "See whether the VPC has an interface endpoint for EKS Auth:",
    "aws ec2 describe-vpc-endpoints --region {region} --filters Name=service-name,Values=com.amazonaws.{region}.eks-auth --query 'VpcEndpoints[].[VpcEndpointId,State,PrivateDnsEnabled,VpcId]' --output text",
);

pub(crate) const OPEN_EKS_AUTH: Template = Template::change_in_words(
    "let {host}, port 443, pass from the nodes. A rule for amazonaws.com does not cover it. Without internet, the VPC needs \
     an endpoint for EKS Auth.",
    "a rule of firewall or proxy, or the VPC",
)
.when("It prints none");

pub(crate) const REPAIR_EKS_AUTH_ENDPOINT: Template = Template::change_in_words(
    "it needs private DNS, and port 443 open to the nodes.",
    "the interface endpoint for EKS Auth",
)
.when("There is one");

pub(crate) const CREATE_EKS_AUTH_ENDPOINT: Template = Template::change(
    "Create an interface endpoint for EKS Auth. Its private DNS answers in the whole VPC, and AWS bills it by the hour:",
    "aws ec2 create-vpc-endpoint --region {region} --vpc-endpoint-type Interface --service-name com.amazonaws.{region}.eks-auth --private-dns-enabled --vpc-id \"${vpc:?is not set}\" --subnet-ids \"${subnet:?is not set}\" --security-group-ids \"${group:?is not set}\"",
    "the VPC: an interface endpoint for EKS Auth is added",
);

pub(crate) const SEE_CERTIFICATE: Template = Template::look(
    "On the node, see who issued the certificate. That names the firewall or proxy which inspects TLS:",
    "curl -svo /dev/null https://{host}/",
);

pub(crate) const EXEMPT_EKS_AUTH: Template = Template::change_in_words(
    "Exempt {host}, port 443, from TLS inspection: the agent takes AWS’s certificates alone. If the text speaks of an expired \
     certificate, the node’s clock may be wrong.",
    "the rules of the inspection",
);

pub(crate) const SEE_INSTANCE: Template = Template::look(
    "See the instance’s profile, and whether its metadata service is on:",
    "aws ec2 describe-instances --region {region} {value} --query 'Reservations[].Instances[].[InstanceId,IamInstanceProfile.Arn,MetadataOptions]' --output json",
);

pub(crate) const GIVE_PROFILE: Template =
    Template::change_in_words("give back its profile, and access to 169.254.169.254.", "the instance")
        .when("It is an EC2 node");

pub(crate) const ENABLE_CREDENTIALS_FILE: Template = Template::change_in_words(
    "set spec.hybrid.enableCredentialsFile in its NodeConfig, then run nodeadm init.",
    "the node’s configuration",
)
.when("It is a hybrid node");

pub(crate) const LASTS: Template =
    Template::words("If it lasts, see health.aws.amazon.com, and give the request id to AWS Support.");

pub(crate) const UPDATE_ADD_ON: Template = Template::change(
    "Update the add-on. This restarts the agent on every node:",
    "aws eks update-addon --region {region} --cluster-name {cluster} --addon-name eks-pod-identity-agent --resolve-conflicts PRESERVE",
    "the cluster’s add-on eks-pod-identity-agent, on all nodes",
);

pub(crate) const OLD_AGENT: Template = Template::change_in_words(
    "This agent is old and wraps refusals into a 500. Update the add-on.",
    "the cluster’s add-on eks-pod-identity-agent",
);

pub(crate) const FAILED: Texts = Texts {
    meaning: "The agent or EKS Auth failed on its own side.",
    restart: "",
    causes: &[
        "The agent does not reach eks-auth.REGION.api.aws: a private cluster without that endpoint, a proxy, a firewall.",
        "The node itself has no credentials for the agent.",
        "An outdated agent wraps every refusal into a 500. The cause stands in its text.",
        "A disturbance of EKS Auth.",
    ],
    steps: &[&SEE_LOG, &SEE_EKS_AUTH_ENDPOINTS, &OPEN_EKS_AUTH, &REPAIR_EKS_AUTH_ENDPOINT, &LASTS],
    beyond: &[&CREATE_EKS_AUTH_ENDPOINT, &UPDATE_ADD_ON],
};

pub(crate) const WAIT_FOR_CACHE: Template = Template::words(
    "If the association was changed in the last 3 hours, the agent may still have the former credentials. A new pod on another node gets the new ones.",
);

pub(crate) const UPDATE_ROLE: Template = Template::change(
    "let it name the stated role. This overwrites its role, for all its pods:",
    "aws eks update-pod-identity-association --region {region} --cluster-name {cluster} --role-arn {role_arn} --association-id \"$(aws eks list-pod-identity-associations --region {region} --cluster-name {cluster} --namespace {namespace} --service-account {service_account} --query 'associations[0].associationId' --output text)\"",
    "the association of {sa}, whose role is overwritten",
)
.when("It is wrong, without a targetRoleArn");

/// EKS takes a role of another account as the target only.
pub(crate) const UPDATE_TARGET: Template = Template::change(
    "let its target be the stated role. This overwrites it, for all its pods:",
    "aws eks update-pod-identity-association --region {region} --cluster-name {cluster} --target-role-arn {role_arn} --association-id \"$(aws eks list-pod-identity-associations --region {region} --cluster-name {cluster} --namespace {namespace} --service-account {service_account} --query 'associations[0].associationId' --output text)\"",
    "the association of {sa}, whose target is overwritten",
)
.when("It is wrong");

pub(crate) const TARGET_ANSWERS: Template = Template::change_in_words(
    "that one answers. State it, or change it.",
    "credprobe’s arguments, or the association’s target",
)
.when("It has another targetRoleArn");

pub(crate) const CORRECT_EXPECTED: Template = environment::CORRECT_EXPECTED_ROLE;

pub(crate) const NO_IPV6: Template = Template::change_in_words(
    "In an IPv4 cluster remove the IPv6 address where it was written. In an IPv6 cluster let this pod and its node have IPv6.",
    "the pod’s environment, or the node",
);

pub(crate) const KEEP_VARIABLES: Template = Template::change_in_words(
    "If they are there, this container’s entrypoint drops them, as env -i, su and sudo do. Let it keep them. If the pod \
     mounts that directory itself, remove the mount. Then make new pods.",
    "the container’s entrypoint, or the pod’s volumes",
);

pub(crate) const LEAVE_OUT_MECHANISM: Template =
    Template::change_in_words("leave --mechanism=pod-identity out.", "credprobe’s arguments")
        .when("IRSA is meant");

pub(crate) const ASSOCIATE_FIRST: Template = Template::change_in_words(
    "create one for the namespace and that service account, with a role of the cluster’s account that admits \
     pods.eks.amazonaws.com. Then make new pods.",
    "the cluster’s associations",
)
.when("It has no association");

pub(crate) const ALLOW_CALLER_IDENTITY: Template = Template::change_in_words(
    "Let this pod call sts:GetCallerIdentity at {sts_host}: the VPC endpoint’s policy must allow it. It needs no permission in \
     IAM.",
    "the policy of the VPC endpoint for STS",
);

pub(crate) const RUN_WITH_IDENTITY: Template = Template::change_in_words(
    "Leave --no-identity out, so that credprobe asks whose credentials they are.",
    "credprobe’s arguments",
);

pub(crate) const SET_IPV6_MODE: Template = Template::change(
    "Apps with one of these SDKs need AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE. This sets it and replaces the pods of \
     {workload}. If Argo CD, Flux or Helm manages it, change it there:",
    "kubectl set env -n {namespace} {workload} AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6",
    "the environment of all containers of {workload}, whose pods are replaced",
);

pub(crate) const NO_IDENTITY_BY_NETWORK: Template = Template::change_in_words(
    "Nothing, if the apps here do not call sts:GetCallerIdentity: add --no-identity to credprobe’s arguments. Else \
     {value} {host}, port 443.",
    "credprobe’s arguments, or the network",
);

pub(crate) const NO_IDENTITY: Template = Template::change_in_words(
    "Nothing, if the apps here do not call sts:GetCallerIdentity: add --no-identity to credprobe’s arguments. Else let the \
     VPC endpoint’s policy allow it.",
    "credprobe’s arguments, or the endpoint’s policy",
);
