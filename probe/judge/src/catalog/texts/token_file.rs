//! Texts of codes 20 to 26: the file that holds the token.
//! What the token says is elsewhere.

use super::{Texts, common, token};
use crate::steps::template::Template;

/// Kubernetes mounts volumes when the pod starts.
const VOLUMES_STAY: &str = "a running pod keeps its volumes";

/// The kubelet gives a volume's files their owner and group when it mounts the volume.
const OWNERS_STAY: &str = "a running pod keeps the owners of its volumes";

pub(crate) const SEE_MOUNTS: Template = Template::look(
    "See how the containers mount their volumes:",
    "kubectl get pod -n {namespace} {pod} -o 'jsonpath={range .spec.containers[*]}{.name}{\" \"}{.volumeMounts}{\"\\n\"}{end}'",
);

pub(crate) const MOUNT_HERE: Template = Template::change_in_words(
    "this container lacks the volume, as with docker run in a pod: mount {resource} here.",
    "the mounts of this container",
)
.when("It prints one for {audience}");

pub(crate) const MISSING: Texts = Texts {
    meaning: "The token file that is named does not exist.",
    restart: VOLUMES_STAY,
    causes: &[
        "The pod sets the variables by hand, without the projected volume or with another mount path.",
        "The volume is mounted in other containers and not in this one.",
        "A volume named aws-iam-token or eks-pod-identity-token was there before. The webhook keeps it as it is.",
        "The path is misspelt, or it is a Windows path in a Linux container.",
    ],
    steps: &[&common::SEE_VARIABLES, &token::SEE_TOKEN_VOLUME, &SEE_MOUNTS, &common::LET_WEBHOOK_SET_BOTH],
    beyond: &[],
};

/// Init containers count too. A container's image stands above its users.
pub(crate) const SEE_USERS: Template = Template::look(
    "See users and groups of the pod and of each container, by its image:",
    "kubectl get pod -n {namespace} {pod} -o yaml | grep -E ' image:|runAs|fsGroup'",
);

/// The ids that were judged were credprobe's own.
pub(crate) const SEE_USERS_OF_OTHERS: Template = Template::look(
    "See the users of each container, by its image. credprobe used its own. If the app has others, add --as-uid, --as-gid \
     and --as-groups:",
    SEE_USERS.run,
);

pub(crate) const LET_ALL_RUN_AS: Template = Template::change_in_words(
    "let {user} be the pod’s runAsUser, and set no other.",
    "the users of the pod’s containers",
)
.when("One user will do");

pub(crate) const RUN_AS_OWNER: Template =
    Template::change_in_words("let {value} be its runAsUser.", "the user of one container")
        .when("This container can run as the others do");

pub(crate) const START_AS_OTHERS: Template = Template::change_in_words(
    "set no runAsUser 0 for any container. The token then gets mode 0644.",
    "the users of the pod’s containers",
)
.when("The image starts as root anyway");

pub(crate) const SET_DEFAULT_MODE: Template =
    Template::change_in_words("set its defaultMode to 0644.", "the mode of the token’s volume")
        .when("The pod has a projected volume of its own");

/// The kubelet puts every container of the pod into the fsGroup.
pub(crate) const KEEP_GROUP: Template = Template::change_in_words(
    "let that program keep {value}, which every container of the pod has, as setpriv --keep-groups does.",
    "how the app is started",
)
.when("su, gosu or setpriv starts the app");

pub(crate) const STATE_GROUP: Template =
    Template::change_in_words("name it to credprobe with --as-groups.", "credprobe’s arguments")
        .when("The app has {value}");

pub(crate) const SET_FS_GROUP: Template = Template::change(
    "Let {group} be the pod’s fsGroup, which gets all its volumes. This replaces the pods of {workload}. If Argo CD, Flux \
     or Helm manages it, change it there:",
    "kubectl patch -n {namespace} {workload} -p '{\"spec\":{\"template\":{\"spec\":{\"securityContext\":{\"fsGroup\":'{group}'}}}}}'",
    "the group of the pod’s volumes, and the pods of {workload}, which are replaced",
)
.when("They need different users");

pub(crate) const OPEN_COPY: Template = Template::change_in_words(
    "Let whatever writes {file} give it to {user}, or let the app read the kubelet’s own file instead.",
    "the owner or the mode of the file",
);

pub(crate) const OPEN_WAY: Template = Template::change_in_words(
    "Let {user} search {value}. Its owner and mode come from the image, or from the volume that is mounted there.",
    "the owner or the mode of a directory",
);

pub(crate) const SEE_DENIALS: Template = Template::look(
    "On the node, see what SELinux refused. With AppArmor, dmesg tells it:",
    "ausearch -m AVC -ts recent",
);

pub(crate) const USUAL_PROFILE: Template = Template::change_in_words(
    "In the pod specification remove seLinuxOptions and appArmorProfile, or make them the same for all containers. Then make \
     new pods.",
    "the security profiles of the pod’s containers",
);

pub(crate) const NOTHING_TO_OPEN: Template = Template::words(
    "Nothing needs to be done. A file system with rules of its own, such as FUSE or NFS, looks like this.",
);

pub(crate) const STATE_GROUPS: Template =
    Template::words("state the groups that it has: {value}.").when("The app does not keep {group}");

pub(crate) const STATE_OWN_GROUP: Template =
    Template::words("add {value}.").when("The app has {group} too, as credprobe has");

pub(crate) const STATE_WITHOUT: Template = Template::words("state its groups: {value}.")
    .when("The app is not in {group}, which credprobe took from its own container");

pub(crate) const UNREADABLE: Texts = Texts {
    meaning: "The process may not read the token file.",
    restart: OWNERS_STAY,
    causes: &[
        "All containers run as one user, so the kubelet gives the file to that user alone. This process has another one.",
        "The volume’s defaultMode is 0400 or 0600, and the file belongs to root.",
        "A sidecar or an init container with another runAsUser changed the file’s owner or mode for the whole pod.",
        "Root without capabilities, as under drop: ALL, is a user like any other.",
        "A debug container runs as another user than the app.",
    ],
    steps: &[&SEE_USERS, &LET_ALL_RUN_AS, &SET_DEFAULT_MODE, &KEEP_GROUP, &SET_FS_GROUP],
    beyond: &[],
};

pub(crate) const SEE_PRESSURE: Template = Template::look(
    "See whether the node is short of disk or memory:",
    "kubectl get node {node} -o 'jsonpath={range .status.conditions[*]}{.type}{\" \"}{.status}{\" \"}{.message}{\"\\n\"}{end}'",
);

pub(crate) const CORRECT_WRITER: Template = Template::change_in_words(
    "see why it failed, or mount the projected volume itself.",
    "the program that writes the file, or the pod’s volumes",
)
.when("Another program than the kubelet writes the file");

pub(crate) const RESTART_IF_KUBELET: Template =
    common::RESTART.when("The kubelet writes it, and it stays empty");

pub(crate) const EMPTY: Texts = Texts {
    meaning: "The token file exists but holds nothing.",
    restart: "",
    causes: &[
        "Another program than the kubelet makes the file, such as a copy at start, and failed.",
        "The node’s disk or memory is full.",
        "The kubelet was interrupted while it wrote the file. It writes it again within two minutes.",
    ],
    steps: &[
        &token::SEE_TOKEN_VOLUME,
        &common::SEE_EVENTS,
        &SEE_PRESSURE,
        &CORRECT_WRITER,
        &RESTART_IF_KUBELET,
    ],
    beyond: &[],
};

pub(crate) const RESTART_FOR_NOW: Template = Template::change(
    "For now, make new pods, which begin with a new token. This replaces the pods of {rollout}:",
    common::RESTART.run,
    common::RESTART.changes,
);

pub(crate) const MOUNT_DIRECTORY: Template = Template::change_in_words(
    "In the pod specification mount the volume as a whole directory, without subPath and subPathExpr. If Argo CD, Flux or \
     Helm manages it, change it there.",
    "the mounts of the pod’s containers",
);

pub(crate) const READ_THE_MOUNT: Template = Template::change_in_words(
    "Let {variable} name the file that the kubelet mounts, and remove what copies it. If Argo CD, Flux or Helm manages it, \
     change it there.",
    "the environment of the app’s container",
);

pub(crate) const FROZEN: Texts = Texts {
    meaning: "The token file is a copy or subPath: it never rotates.",
    restart: VOLUMES_STAY,
    causes: &[
        "The token is mounted with subPath. Such a mount keeps the first file for the life of the container.",
        "An entrypoint or an init container copied the token to another directory.",
        "The token was put into a Secret, a ConfigMap or the image.",
    ],
    steps: &[&SEE_MOUNTS, &MOUNT_DIRECTORY, &READ_THE_MOUNT, &RESTART_FOR_NOW],
    beyond: &[],
};

pub(crate) const STALE: Texts = Texts {
    meaning: "The kubelet should have renewed the token by now.",
    restart: "",
    causes: &[
        "The kubelet cannot reach the API server, or the API server refuses it new tokens. It keeps the old one.",
        "The service account was deleted, so the API server issues no further token.",
        "The kubelet is stopped or overloaded, or hangs on another volume of the pod.",
    ],
    steps: &[&common::SEE_EVENTS, &token::SEE_ACCOUNT_AND_NODE, &common::RESTART],
    beyond: &[&token::LEAVE_NODE],
};

pub(crate) const FOLLOW_APP: Template = Template::change_in_words(
    "Give credprobe’s container no runAsUser where the pod states one. Where only the app’s container has one, give \
     credprobe’s the same, {user}.",
    "the user of credprobe’s container",
);

pub(crate) const PERTURBED: Texts = Texts {
    meaning: "The probe’s own uid changed the token file for the pod.",
    restart: OWNERS_STAY,
    causes: &[
        "credprobe’s container has another runAsUser than the app. With two users in a pod the kubelet leaves the file to \
         root, with the volume’s defaultMode.",
        "The app states runAsUser in its container only, and credprobe’s container states none.",
        "Another injected container, such as a mesh’s proxy, does the same.",
    ],
    steps: &[&SEE_USERS, &FOLLOW_APP],
    beyond: &[],
};

pub(crate) const INVALID: Texts = Texts {
    meaning: "The token path is no regular file or is over 20,000 bytes.",
    restart: VOLUMES_STAY,
    causes: &[
        "The variable names the directory and not the file in it.",
        "The file holds something else, such as a kubeconfig or a log. STS takes tokens of at most 20,000 bytes.",
        "At the path is a pipe, a socket or a device.",
    ],
    steps: &[&common::SEE_VARIABLES, &SEE_MOUNTS, &common::LET_WEBHOOK_SET_BOTH],
    beyond: &[],
};
