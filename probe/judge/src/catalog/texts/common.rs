//! Steps that several classes share: look at the service account, the role, the provider; make new pods.
//! Steps of one stage stand in the stage's file.

use crate::steps::template::Template;

/// `kubectl rollout restart` exists for Deployments, StatefulSets and DaemonSets.
pub(crate) const RESTART: Template = Template::change(
    "Make new pods. This replaces the pods of {rollout}:",
    "kubectl rollout restart -n {namespace} {rollout}",
    "the pods of {rollout}, which are replaced",
);

pub(crate) const SEE_SERVICE_ACCOUNT: Template = Template::look(
    "See the annotations of service account {sa}:",
    "kubectl get serviceaccount -n {namespace} {service_account} -o 'jsonpath={.metadata.annotations}'",
);

/// `--overwrite`, because a wrong value stands there.
pub(crate) const ANNOTATE_ROLE: Template = Template::change(
    "Correct the annotation of service account {sa}. This overwrites its value. If Argo CD, Flux or Helm manages it, change it there:",
    "kubectl annotate serviceaccount -n {namespace} {service_account} eks.amazonaws.com/role-arn={role_arn} --overwrite",
    "the role annotation of service account {sa}, which is overwritten",
);

pub(crate) const SEE_ROLE: Template = Template::look(
    "See ARN and trust policy, with credentials of {account}:",
    "aws iam get-role --role-name {role} --query 'Role.[Arn,AssumeRolePolicyDocument]' --output json",
);

/// The kubelet says there why a volume could not be mounted or a token not be had.
pub(crate) const SEE_EVENTS: Template = Template::look(
    "See what the kubelet said of this pod:",
    "kubectl get events -n {namespace} --field-selector involvedObject.name={pod} --sort-by=.lastTimestamp",
);
