//! Steps that several classes share: look at the service account, the role, the network; make new pods; set a variable.
//! Steps of one stage stand in the stage's file.

use crate::steps::template::Template;

/// `kubectl rollout restart` exists for Deployments, StatefulSets and DaemonSets.
pub(crate) const RESTART: Template = Template::change(
    "Make new pods. This replaces those of {rollout}:",
    "kubectl rollout restart -n {namespace} {rollout}",
    "the pods of {rollout}, which are replaced",
);

pub(crate) const SEE_SERVICE_ACCOUNT: Template = Template::look(
    "See the annotations of {sa}:",
    "kubectl get serviceaccount -n {namespace} {service_account} -o 'jsonpath={.metadata.annotations}'",
);

/// `--overwrite`, because a wrong value stands there.
pub(crate) const ANNOTATE_ROLE: Template = Template::change(
    "Correct the annotation of {sa}. This overwrites its value. If Argo CD, Flux or Helm manages it, \
     change it there:",
    "kubectl annotate serviceaccount -n {namespace} {service_account} eks.amazonaws.com/role-arn={role_arn} --overwrite",
    "the role annotation of {sa}, which is overwritten",
);

pub(crate) const SEE_ROLE: Template = Template::look(
    "See ARN and trust policy, with credentials of {account}:",
    "aws iam get-role --role-name {role} --query 'Role.[Arn,AssumeRolePolicyDocument]' --output json",
);

/// The kubelet says there why a volume could not be mounted or a token could not be had.
pub(crate) const SEE_EVENTS: Template = Template::look(
    "See what the kubelet said about this pod:",
    "kubectl get events -n {namespace} --field-selector involvedObject.name={pod} --sort-by=.lastTimestamp",
);

/// Names only: values of a pod's environment may be keys, which belong on nobody's screen.
pub(crate) const SEE_VARIABLES: Template = Template::look(
    "See which variables the pod sets, by name, and where they come from:",
    "kubectl get pod -n {namespace} {pod} -o 'jsonpath={range .spec.containers[*]}{.name}{\": \"}{.env[*].name}{\" \"}{.envFrom}{\"\\n\"}{end}'",
);

pub(crate) const UNSET_VARIABLE: Template = Template::change(
    "Remove {variable}. This replaces the pods of {workload}. If Argo CD, Flux or Helm manages it, change it there:",
    "kubectl set env -n {namespace} {workload} {variable}-",
    "the environment of all containers of {workload}, whose pods are replaced",
);

pub(crate) const SET_REGION: Template = Template::change(
    "Set the region to {region}. This replaces the pods of {workload}. If Argo CD, Flux or Helm manages it, change it there:",
    "kubectl set env -n {namespace} {workload} AWS_REGION={region} AWS_DEFAULT_REGION={region}",
    "the environment of all containers of {workload}, whose pods are replaced",
);

/// With what the variable holds already: nothing is lost.
pub(crate) const ADD_NO_PROXY: Template = Template::change(
    "Exempt {host} from the proxy. This overwrites NO_PROXY of all containers of {workload}, and replaces the pods. If Argo CD, Flux or Helm manages it, change it there:",
    "kubectl set env -n {namespace} {workload} {no_proxy}",
    "the environment of all containers of {workload}, whose pods are replaced",
);

/// STS alone goes back to its own host; the other services stay where `AWS_ENDPOINT_URL` leads them.
pub(crate) const GIVE_STS_ITS_ENDPOINT: Template = Template::change(
    "Give STS its own endpoint, and leave the other services where they are. This replaces the pods of {workload}. If \
     Argo CD, Flux or Helm manages it, change it there:",
    "kubectl set env -n {namespace} {workload} AWS_ENDPOINT_URL_STS={endpoint}",
    "the environment of all containers of {workload}, whose pods are replaced",
);

pub(crate) const NARROW_ENDPOINT: Template = Template::change_in_words(
    "If one service is meant, such as S3, give it its own variable, AWS_ENDPOINT_URL_S3, in place of AWS_ENDPOINT_URL.",
    "the environment of the workload’s containers",
);

/// A profile's setting or a flag stands where no command of the cluster changes it.
pub(crate) const CORRECT_SETTING: Template =
    Template::change_in_words("Correct {variable} where it is set, or remove it.", "the setting {variable}");

/// Typed elsewhere it would set the reader's own clock.
pub(crate) const SET_CLOCK: Template = Template::change_in_words(
    "If it is wrong, run chronyc makestep there as root. EC2’s time source is 169.254.169.123.",
    "the node’s clock",
);

pub(crate) const SEE_COREDNS: Template = Template::look(
    "See whether CoreDNS rewrites the name, has a hosts block or forwards to a wrong server:",
    "kubectl get configmap -n kube-system coredns -o yaml",
);

pub(crate) const SEE_NETWORK_POLICIES: Template = Template::look(
    "See whether a network policy of the namespace blocks port {port}:",
    "kubectl get networkpolicy -n {namespace} -o yaml",
);

pub(crate) const SEE_MESH: Template = Template::look(
    "If a mesh runs here, see which hosts its registry knows:",
    "kubectl get serviceentry,sidecar -A",
);

pub(crate) const ALLOW_IN_MESH: Template = Template::change_in_words(
    "let its proxy start before this container, and add {host}, port {port}, to its registry: a ServiceEntry in Istio, an \
     EgressNetwork in Linkerd.",
    "the mesh’s registry: one host is added",
)
.when("A mesh blocks unknown hosts");

/// As `describe-cluster` has it: the only way from a token to the cluster's name.
pub(crate) const FIND_CLUSTER: Template = Template::look(
    "Find the cluster by its issuer:",
    "cluster=\"$(aws eks list-clusters --region {region} --query clusters --output text | xargs -n1 aws eks describe-cluster --region {region} --query 'cluster.[identity.oidc.issuer,name]' --output text --name | grep {issuer_id} | cut -f2)\"",
);

pub(crate) const SEE_ACCOUNT_EXISTS: Template = Template::look(
    "See whether the service account is still there, without which there is no new token:",
    "kubectl get serviceaccount -n {namespace} {service_account}",
);

/// The webhook adds neither variable where the pod has one.
pub(crate) const LET_WEBHOOK_SET_ONE: Template = Template::change(
    "If the service account has a role, remove {variable}, so that the webhook sets it. This replaces the pods of \
     {workload}. If Argo CD, Flux or Helm manages it, change it there:",
    "kubectl set env -n {namespace} {workload} {variable}-",
    "the environment of all containers of {workload}, whose pods are replaced",
);

pub(crate) const LET_WEBHOOK_SET_BOTH: Template = Template::change(
    "If the service account has a role, remove {variable} and {second}, so that the webhook sets both. This replaces \
     the pods of {workload}. If Argo CD, Flux or Helm manages it, change it there:",
    "kubectl set env -n {namespace} {workload} {variable}- {second}-",
    "the environment of all containers of {workload}, whose pods are replaced",
);

pub(crate) const CORRECT_FLAG: Template =
    Template::change_in_words("Correct {variable} in credprobe’s own arguments.", "credprobe’s arguments");

pub(crate) const CORRECT_PROFILE: Template =
    Template::change_in_words("Correct {variable} in its file.", "the profile");

pub(crate) const USE_ECS_CONTAINER: Template = Template::change_in_words(
    "In that profile write credential_source = EcsContainer in place of {variable}: the file is the token of EKS Pod \
     Identity, which the agent takes and STS does not. Then make new pods.",
    "the profile",
);

pub(crate) const PROJECT_FOR_SERVER: Template = Template::change_in_words(
    "In the pod specification let {variable} name a projected volume of the pod’s own, with the audience that the server \
     knows.",
    "the pod’s volumes and environment",
);

/// What the webhook would write, for a cluster that has none.
pub(crate) const PROJECT_BY_HAND: Template =
    Template::change_in_words("{value}.", "the pod’s volumes and environment")
        .when("The cluster has no webhook");

pub(crate) const LET_ITS_WEBHOOK_SET_ONE: Template = LET_WEBHOOK_SET_ONE.when("It has one");

pub(crate) const LET_ITS_WEBHOOK_SET_BOTH: Template = LET_WEBHOOK_SET_BOTH.when("It has one");

pub(crate) const SEE_SCP: Template = Template::look(
    "For the organization’s administrators, see its service control policies:",
    "aws organizations list-policies --filter SERVICE_CONTROL_POLICY",
);

pub(crate) const SEE_RCP: Template = Template::look(
    "For the organization’s administrators, see its resource control policies:",
    "aws organizations list-policies --filter RESOURCE_CONTROL_POLICY",
);

pub(crate) const SEE_ENDPOINT_POLICY: Template = Template::look(
    "See the policies of the VPC endpoints:",
    "aws ec2 describe-vpc-endpoints --region {region} --query 'VpcEndpoints[].[VpcEndpointId,ServiceName,PolicyDocument]' --output json",
);

pub(crate) const SEE_BOUNDARY: Template = Template::look(
    "With credentials of {account}, see the boundary of the role:",
    "aws iam get-role --role-name {role} --query Role.PermissionsBoundary --output json",
);

pub(crate) const ALLOW_IN_POLICY: Template = Template::change_in_words(
    "Ask {principal} to let {action} on {resource} through in {value}. The role’s trust policy needs no change.",
    "{value}",
);

/// Where a value is not known, or belongs in no command.
pub(crate) const BY_HAND: Template = Template::words("Needed: {value}.");

pub(crate) const AT_THE_SERVER: Template =
    Template::words("In the server’s own configuration, see to what is required: {value}.");

pub(crate) const RUN_IN_POD: Template = Template::words("Run it in the pod whose token is refused.");
