//! Texts of codes 20 to 26: the file that holds the token.
//! What the token says is elsewhere.

use super::{EDIT, PROBE_LOCAL, RECREATE, REPLACES_PODS, SHOW_ENVIRONMENT, Texts};

const SHOW_VOLUMES: &str = "kubectl get pod $POD -n $NS -o jsonpath='{.spec.volumes}{\"\\n\"}\
     {range .spec.containers[*]}{.name}: {.volumeMounts}{\"\\n\"}{end}'";

const SHOW_USERS: &str = "kubectl get pod $POD -n $NS -o jsonpath='{.spec.securityContext}{\"\\n\"}\
     {range .spec.initContainers[*]}{.name}: {.securityContext}{\"\\n\"}{end}\
     {range .spec.containers[*]}{.name}: {.securityContext}{\"\\n\"}{end}'";

const EVENTS: &str = "kubectl get events -n $NS --field-selector involvedObject.name=$POD";

const KUBELET_LOGS: &str = "kubectl get --raw \"/api/v1/nodes/$NODE/proxy/logs/?query=kubelet\"";

pub(crate) const MISSING: Texts = Texts {
    meaning: "The token file that is named does not exist.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The variables were set by hand and the projected volume was not added, or is mounted elsewhere.",
        "The volume is mounted in other containers, not in this one.",
        "A volume of the same name (aws-iam-token, eks-pod-identity-token) was there before: the webhook keeps it.",
        "The path has a spelling mistake, or a Windows path stands in a Linux container.",
    ],
    confirm: &[SHOW_ENVIRONMENT, SHOW_VOLUMES],
    repair: &[
        "# Best: remove the hand-made variables, so that the webhook adds variables, volume and mount together:",
        REPLACES_PODS,
        EDIT,
        "# By hand: a projected volume with serviceAccountToken, audience sts.amazonaws.com (Pod Identity:",
        "# pods.eks.amazonaws.com), mounted as a whole directory at the path that the variable names.",
    ],
};

pub(crate) const UNREADABLE: Texts = Texts {
    meaning: "The process may not read the token file.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "All containers run as one uid, so the kubelet makes the file 0600 for that uid; this process has another one.",
        "The volume's defaultMode is 0400 or 0600 and the file belongs to root.",
        "A sidecar or init container with another runAsUser changed the file's owner or mode for the whole pod.",
        "Root without capabilities (drop: ALL) is a user like any other and may not read another's 0600 file.",
        "A debug container runs under another uid than the app.",
    ],
    confirm: &[
        SHOW_USERS,
        PROBE_LOCAL,
        "# The same file for the app's ids (here 1000):",
        "credprobe check --no-network --as-uid=1000 --as-gid=1000",
    ],
    repair: &[
        "# Either: a group for the pod's volumes; the file becomes 0640 for it (any gid will do):",
        REPLACES_PODS,
        "kubectl patch deployment $DEPLOYMENT -n $NS \
         -p '{\"spec\":{\"template\":{\"spec\":{\"securityContext\":{\"fsGroup\":65534}}}}}'",
        "# or: set runAsUser once, in the pod's securityContext, and in no container.",
        "# It changes the group of the pod's other volumes too; on large ones that takes time at start.",
    ],
};

pub(crate) const EMPTY: Texts = Texts {
    meaning: "The token file exists but holds nothing.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The kubelet has not written it yet, or was interrupted while writing.",
        "Something else than the kubelet makes the file (a copy at start, a hostPath, an agent) and failed.",
        "The node's disk or memory is full.",
    ],
    confirm: &[
        PROBE_LOCAL,
        EVENTS,
        "# Conditions DiskPressure, MemoryPressure:",
        "kubectl describe node $NODE",
    ],
    repair: &[
        "# Give it a moment; the kubelet writes within a minute or two:",
        "credprobe check --no-network --wait=2m",
        "# If it stays empty, a new pod on another node tells whether it is the node:",
        REPLACES_PODS,
        RECREATE,
    ],
};

pub(crate) const FROZEN: Texts = Texts {
    meaning: "The token file is a copy or subPath: it never rotates.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The token is mounted with subPath: such a mount keeps the first file for the pod's life.",
        "An entrypoint or init container copied the token into another directory.",
        "The token was put into a Secret, ConfigMap or the image.",
    ],
    confirm: &[SHOW_VOLUMES, PROBE_LOCAL],
    repair: &[
        "# Mount the whole directory (no subPath, no subPathExpr), or point the variable at the mounted file",
        "# instead of the copy; today's token works until it expires, at the latest 24 hours after the pod's start:",
        REPLACES_PODS,
        EDIT,
    ],
};

pub(crate) const STALE: Texts = Texts {
    meaning: "The kubelet should have renewed the token by now.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The kubelet cannot reach the API server, or the API server refuses it new tokens; it keeps the old one.",
        "The kubelet is stopped, overloaded or hangs on another volume of the pod.",
        "The file is a copy of an earlier token.",
    ],
    confirm: &[
        PROBE_LOCAL,
        "# Condition Ready and its last heartbeat:",
        "kubectl describe node $NODE",
        EVENTS,
        "# Where node log queries are enabled; else journalctl -u kubelet on the node:",
        KUBELET_LOGS,
    ],
    repair: &[
        "# Repair the node's connection to the API server. Meanwhile move the pods to another node:",
        "kubectl cordon $NODE",
        REPLACES_PODS,
        RECREATE,
        "# and when the node is well again:",
        "kubectl uncordon $NODE",
    ],
};

pub(crate) const PERTURBED: Texts = Texts {
    meaning: "The probe's own uid changed the token file for the pod.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The probe's container has a runAsUser of its own, different from the app's: with two different users the kubelet \
         gives the file to root with the volume's defaultMode.",
        "The app sets runAsUser in its container only, and the probe's container sets none.",
        "Any other injected container (a mesh proxy) has the same effect.",
    ],
    confirm: &[SHOW_USERS, PROBE_LOCAL],
    repair: &[
        "# Give the probe's container no runAsUser when the pod's securityContext has one; when only the app's container",
        "# has one, copy its value to the probe's container. An fsGroup makes the file readable for both.",
        REPLACES_PODS,
        EDIT,
    ],
};

pub(crate) const INVALID: Texts = Texts {
    meaning: "The token path is no regular file or is over 20,000 bytes.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The variable names the directory instead of the file in it.",
        "A pipe, socket or device lies at the path.",
        "The file holds something else, such as a kubeconfig or a log; STS takes tokens of 20,000 bytes at most.",
    ],
    confirm: &[SHOW_ENVIRONMENT, SHOW_VOLUMES, PROBE_LOCAL],
    repair: &[
        "# Point AWS_WEB_IDENTITY_TOKEN_FILE (Pod Identity: AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE) at the token file:",
        "#   /var/run/secrets/eks.amazonaws.com/serviceaccount/token",
        "#   /var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token",
        REPLACES_PODS,
        EDIT,
    ],
};
