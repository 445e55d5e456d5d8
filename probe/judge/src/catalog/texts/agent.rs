//! Texts of codes 80 to 88: the Pod Identity agent and the EKS Auth service behind it.
//! The agent's errors name neither role nor missing action, so all candidates stand here.

use super::{
    AGENT_LOGS, AGENT_PODS, BACK_UP_TRUST, EDIT, HEALTH, LIST_ASSOCIATIONS, NETWORK_POLICIES,
    OVERWRITES_TRUST, PROBE_CHAIN, PROBE_LOCAL, PROBE_REPORT, PROBE_WAIT, RECREATE, REMARK_RECREATE,
    REPLACES_PODS, SAVE_TRUST, SHOW_ENVIRONMENT, SHOW_TRUST, Texts, WRITE_TRUST,
};

const SHOW_ADDON: &str = "aws eks describe-addon --cluster-name $CLUSTER --region $REGION \
     --addon-name eks-pod-identity-agent";

const CREATE_ASSOCIATION: &str = "aws eks create-pod-identity-association --cluster-name $CLUSTER \
     --region $REGION --namespace $NS --service-account $SA --role-arn $ROLE_ARN";

const NODE_KIND: &str = "kubectl get node $NODE --show-labels";

pub(crate) const UNREACHABLE: Texts = Texts {
    meaning: "Nothing answers at the Pod Identity agent's address.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The add-on eks-pod-identity-agent is not installed, or not yet running on this (new) node.",
        "The agent crashes: port 80 of the node is taken, or IPv6 is switched off and it cannot bind [fd00:ec2::23].",
        "A network policy drops the traffic; the agent is an address of the node (for Cilium the entity `host`).",
        "Firewall rules on the node (hardening scripts) drop 169.254.170.23.",
    ],
    confirm: &[AGENT_PODS, AGENT_LOGS, SHOW_ADDON, NETWORK_POLICIES],
    repair: &[
        "# On a new node waiting is enough:",
        PROBE_WAIT,
        "# If the add-on is not installed:",
        "aws eks create-addon --cluster-name $CLUSTER --region $REGION --addon-name eks-pod-identity-agent",
        "# If IPv6 is switched off: additionalArgs {\"-b\":\"169.254.170.23\"} in the add-on's configuration; read first what",
        "# stands there, for the update overwrites it.",
        "# If a policy drops it, add an egress rule to 169.254.170.23/32 and fd00:ec2::23/128, TCP port 80.",
    ],
};

pub(crate) const UNSUPPORTED: Texts = Texts {
    meaning: "The Pod Identity agent does not exist on this kind of node.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The pod was placed on Fargate, a Windows node or a hybrid node without the agent.",
        "A Fargate profile selects the namespace although the pod was meant for EC2 nodes.",
    ],
    confirm: &[
        "kubectl get pod $POD -n $NS -o jsonpath='{.spec.nodeName}{\"\\n\"}'",
        NODE_KIND,
        "aws eks list-fargate-profiles --cluster-name $CLUSTER --region $REGION",
    ],
    repair: &[
        "# Either: place the pod on a Linux EC2 node (nodeSelector, or another namespace than the Fargate profile's).",
        REPLACES_PODS,
        EDIT,
        "# or: use IRSA there. While the association exists, new pods get Pod Identity, so delete it only when no other",
        "# pod of this service account needs it (deletes; $ASSOCIATION is its id):",
        LIST_ASSOCIATIONS,
        "aws eks delete-pod-identity-association --cluster-name $CLUSTER --region $REGION --association-id $ASSOCIATION",
        "kubectl annotate serviceaccount $SA -n $NS eks.amazonaws.com/role-arn=$ROLE_ARN",
        REPLACES_PODS,
        RECREATE,
    ],
};

pub(crate) const NOT_AGENT: Texts = Texts {
    meaning: "Something else answers at the agent's address.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "HTTP_PROXY is set and NO_PROXY lacks the agent's addresses: the proxy answers.",
        "Another process with hostNetwork has port 80 of the node (an ingress controller, HAProxy).",
        "A mesh sidecar captures the traffic.",
    ],
    confirm: &[
        PROBE_REPORT,
        "# The agent answers this with `404 page not found`:",
        "kubectl exec -n $NS $POD -c $CONTAINER -- curl -sS --noproxy '*' -i http://169.254.170.23/",
        AGENT_PODS,
        AGENT_LOGS,
        PROBE_CHAIN,
    ],
    repair: &[
        "# If a proxy answers, add 169.254.170.23 and [fd00:ec2::23] to the present NO_PROXY and no_proxy:",
        REPLACES_PODS,
        EDIT,
        "# If another process has the port, move it to another port or bind it to the node's own address.",
        "# If a mesh captures it, leave the two addresses out of the capture.",
    ],
};

pub(crate) const URI_REFUSED: Texts = Texts {
    meaning: "SDKs refuse the host that the agent's URI names.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "AWS_CONTAINER_CREDENTIALS_FULL_URI was set by hand to a name or address that is not the agent's.",
        "Over http:// SDKs accept only loopback, 169.254.170.2, 169.254.170.23 and [fd00:ec2::23].",
        "The value is no URL, or lacks the brackets of an IPv6 address.",
    ],
    confirm: &[SHOW_ENVIRONMENT, PROBE_CHAIN],
    repair: &[
        "# Remove both variables of the pair from the pod template: the webhook then sets them itself.",
        REPLACES_PODS,
        "kubectl set env deployment/$DEPLOYMENT -n $NS AWS_CONTAINER_CREDENTIALS_FULL_URI- \
         AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE-",
    ],
};

pub(crate) const TOKEN_REJECTED: Texts = Texts {
    meaning: "The agent or EKS Auth refused the token.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The audience is not pods.eks.amazonaws.com: the variable points at another token.",
        "The token has expired, or a clock is wrong.",
        "The token is not bound to a living pod, or is another pod's.",
        "The token has a line end or a `Bearer` before it.",
    ],
    confirm: &[PROBE_LOCAL, SHOW_ENVIRONMENT, AGENT_LOGS],
    repair: &[
        "# Let the webhook set variable and token together (remove hand-made ones):",
        REPLACES_PODS,
        "kubectl set env deployment/$DEPLOYMENT -n $NS AWS_CONTAINER_CREDENTIALS_FULL_URI- \
         AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE-",
        "# If the report speaks of clocks, see clock-skew.",
    ],
};

pub(crate) const ASSOCIATION_MISSING: Texts = Texts {
    meaning: "EKS has no association for this service account.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The association was deleted after the pod was created.",
        "It was made for another namespace or service account, or in another cluster.",
        "It is younger than a few seconds.",
    ],
    confirm: &[
        LIST_ASSOCIATIONS,
        "aws eks list-pod-identity-associations --cluster-name $CLUSTER --region $REGION",
        "kubectl get pod $POD -n $NS -o jsonpath='{.metadata.namespace}/{.spec.serviceAccountName}{\"\\n\"}'",
    ],
    repair: &[
        "# If the first list is empty:",
        CREATE_ASSOCIATION,
        "credprobe check --grace=1m",
        "# If the pod should use IRSA again instead:",
        REMARK_RECREATE,
        RECREATE,
    ],
};

pub(crate) const ACCESS_DENIED: Texts = Texts {
    meaning: "The role's trust or the node role's permission is missing.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The role's trust policy does not allow the service pods.eks.amazonaws.com (it was written for IRSA).",
        "It allows sts:AssumeRole and not sts:TagSession; both are needed.",
        "A condition in it (aws:SourceArn, aws:SourceAccount, aws:RequestTag) does not match.",
        "The role was deleted.",
        "The text names eks-auth: then the node's role lacks eks-auth:AssumeRoleForPodIdentity.",
        "The pod uses hostNetwork, which has been seen to end like this.",
    ],
    confirm: &[
        LIST_ASSOCIATIONS,
        SHOW_TRUST,
        "# One of AmazonEKSWorkerNodePolicy and AmazonEKSWorkerNodeMinimalPolicy must be listed:",
        "aws iam list-attached-role-policies --role-name $NODE_ROLE",
        "kubectl get pod $POD -n $NS -o jsonpath='{.spec.hostNetwork}{\"\\n\"}'",
    ],
    repair: &[
        "# Trust: save the present policy:",
        SAVE_TRUST,
        BACK_UP_TRUST,
        "# Add this to the list Statement in trust.json; leave the others:",
        "#   {\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"pods.eks.amazonaws.com\"},",
        "#    \"Action\":[\"sts:AssumeRole\",\"sts:TagSession\"]}",
        OVERWRITES_TRUST,
        WRITE_TRUST,
        "# Node role, if the text names eks-auth (adds a policy):",
        "aws iam attach-role-policy --role-name $NODE_ROLE \
         --policy-arn arn:aws:iam::aws:policy/AmazonEKSWorkerNodeMinimalPolicy",
    ],
};

pub(crate) const THROTTLED: Texts = Texts {
    meaning: "The agent or EKS Auth answers that requests are too many.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "Many pods of one node start at once, or one pod asks without pause.",
        "The account's quota of EKS Auth in this region is used up.",
    ],
    confirm: &[AGENT_LOGS, "kubectl get pods -A -o wide --field-selector spec.nodeName=$NODE"],
    repair: &[
        "# Spread the starts and try again:",
        "credprobe check --start-jitter=10s --wait=2m",
        "# If it is lasting: find the pod that asks without pause, or get a higher quota from AWS Support.",
    ],
};

pub(crate) const FAILED: Texts = Texts {
    meaning: "The agent or EKS Auth failed on its own side.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The agent does not reach eks-auth.REGION.api.aws: private cluster without that endpoint, proxy, firewall.",
        "The node itself has no credentials for the agent.",
        "An outdated agent wraps every refusal into a 500; the cause stands in its text.",
        "A disturbance of EKS Auth.",
    ],
    confirm: &[PROBE_REPORT, AGENT_LOGS, SHOW_ADDON, HEALTH],
    repair: &[
        "# Try again:",
        PROBE_WAIT,
        "# If the agent is old, see which versions there are and take a newer one (restarts the agent on every node):",
        "aws eks describe-addon-versions --addon-name eks-pod-identity-agent --query 'addons[].addonVersions[].addonVersion'",
        "aws eks update-addon --cluster-name $CLUSTER --region $REGION --addon-name eks-pod-identity-agent \
         --resolve-conflicts PRESERVE --addon-version $VERSION",
        "# Private cluster: an interface endpoint for com.amazonaws.$REGION.eks-auth, open for the nodes on port 443.",
    ],
};
