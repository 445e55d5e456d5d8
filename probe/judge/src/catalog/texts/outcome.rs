//! Texts of codes 0 to 3: success, and what concerns the probe itself.
//! Owner `probe` means that nothing was said about the pod.

use super::{Texts, common};
use crate::steps::template::Template;

pub(crate) const SEE_CHAIN: Template =
    Template::look("In the container, see which credentials each SDK takes:", "credprobe chain");

const ASK_AS_THE_APP: Template = Template::look(
    "Ask as the app, if its image has the AWS CLI:",
    "kubectl exec -n {namespace} {pod} -c {container} -- aws sts get-caller-identity",
);

const SEE_POLICIES: Template = Template::look(
    "With credentials of {account}, see which policies the role has:",
    "aws iam list-attached-role-policies --role-name {role}",
);

pub(crate) const READY: Texts = Texts {
    meaning: "The expected role answered.",
    restart: "",
    causes: &[
        "It proves that credentials were issued for this container’s token, and that they belong to the expected role. \
         With --no-identity the role’s own word is missing. With --no-network, scope local, STS was not asked at all.",
        "It does not prove that the app uses this mechanism. Another provider may come first in its SDK, or the SDK may be \
         older than the mechanism. Warnings in the report name such cases.",
        "It does not prove what the role may do. Permissions, service control policies and bucket policies are not tried.",
        "It does not prove that the app’s image trusts STS’s certificate. credprobe has root certificates of its own.",
        "With Pod Identity the agent may answer from its cache, for up to 3 hours after an association or a trust policy was \
         taken away.",
    ],
    steps: &[&SEE_CHAIN, &ASK_AS_THE_APP, &SEE_POLICIES],
    beyond: &[],
};

const SEE_VERSION: Template = Template::look("See the version of credprobe:", "credprobe --version");

const SEE_REPORT: Template = Template::look(
    "See the whole report. It holds account, role, issuer and addresses, and no secret:",
    "credprobe check --no-network --output=json",
);

const SEE_LIMITS: Template = Template::look(
    "See why the container ended, and its memory limit:",
    "kubectl describe pod -n {namespace} {pod}",
);

pub(crate) const REPORT_IT: Template =
    Template::words("Report it, with version and report, to whoever gave you credprobe.");

const GO_ON_WITHOUT: Template = Template::change_in_words(
    "Until then let no pod wait for credprobe: --report-only exits with 0 whatever happens, and CREDPROBE_DISABLED with a \
     reason switches it off.",
    "credprobe’s arguments or environment",
);

pub(crate) const INTERNAL_ERROR: Texts = Texts {
    meaning: "A bug in the probe, so nothing is said about the pod.",
    restart: "",
    causes: &[
        "The probe panicked, overflowed its stack or could not get memory.",
        "A memory limit that is too small for the probe can look the same.",
    ],
    steps: &[&SEE_LIMITS, &SEE_VERSION, &SEE_REPORT, &REPORT_IT, &GO_ON_WITHOUT],
    beyond: &[],
};

const SEE_FLAGS: Template = Template::look("See which flags there are:", "credprobe check --help");

const SEE_ARGUMENTS: Template = Template::look(
    "See the arguments of the pod’s containers:",
    "kubectl get pod -n {namespace} {pod} -o 'jsonpath={..args}{\" \"}{..command}'",
);

const CORRECT_FLAGS: Template = Template::change_in_words(
    "Correct the flag or variable that the message names. Another port for serve is stated with --listen.",
    "credprobe’s arguments or environment",
);

pub(crate) const USAGE_ERROR: Texts = Texts {
    meaning: "A flag or value is wrong, or the port is in use.",
    restart: "",
    causes: &[
        "This version does not know the flag, or the flag belongs to another command.",
        "A value lacks its unit, as 250ms, 10s and 2m have it, or is not the ARN or URL that it has to be.",
        "A CREDPROBE_ variable has a bad value. Each flag has such a twin.",
        "serve: another process of the pod already listens on the port.",
    ],
    steps: &[&SEE_FLAGS, &SEE_ARGUMENTS, &common::SEE_VARIABLES, &CORRECT_FLAGS],
    beyond: &[],
};

// === What could not be looked at ===

pub(crate) const GIVE_TIME: Template = Template::change_in_words(
    "Give credprobe more time, as with --timeout=30s, or more CPU, resources.limits.cpu.",
    "credprobe’s arguments or limits",
);

pub(crate) const REPAIR_VOLUME: Template = Template::change_in_words(
    "Find the volume that {file} lies on, and repair or unmount it. An NFS, EFS or FUSE server that does not answer holds \
     up the app’s SDK as well.",
    "the volume’s server",
);

pub(crate) const SEE_MOUNTS_HERE: Template =
    Template::look("See which file system each path of the container lies on:", "cat /proc/mounts");

pub(crate) const RAISE_FILE_LIMIT: Template = Template::change_in_words(
    "Raise the limit of open files of credprobe’s container, or end what holds connections to it open.",
    "the limits of credprobe’s container",
);

pub(crate) const SEE_OPEN_FILES: Template = Template::look(
    "On the node, see how many files are open. The last number is the limit:",
    "cat /proc/sys/fs/file-nr",
);

pub(crate) const RAISE_NODES_FILES: Template = Template::change_in_words(
    "On the node, end what holds so many files open, or raise fs.file-max.",
    "the node",
);

pub(crate) const RAISE_MEMORY: Template = Template::change_in_words(
    "Raise the memory limit of credprobe’s container, or take load off the node.",
    "the limits of credprobe’s container",
);

pub(crate) const SEE_KERNEL_LOG: Template = Template::look(
    "On the node, see the kernel’s errors about the disk, the file server or the FUSE daemon:",
    "dmesg -T --level=err,warn",
);

pub(crate) const REPAIR_FILE_SYSTEM: Template =
    Template::change_in_words("Repair what that log names, or let the pods run on another node.", "the node");

pub(crate) const RUN_WITH_IDS: Template = Template::change_in_words(
    "Let credprobe’s container run with the ids that are judged, runAsUser {user} and runAsGroup {group}, or as root with \
     CAP_SETUID and CAP_SETGID.",
    "the user of credprobe’s container",
);

pub(crate) const SEE_REAL_PATH: Template = Template::look(
    "See where the path leads in the app’s container, if its image has ls:",
    "kubectl exec -n {namespace} {pod} -- ls -l {file}",
);

// === The process of --target-pid ===

/// Image and container name are those of the debug container that runs: inside of a pod nobody knows them.
macro_rules! debug {
    ($custom:literal, $profile:literal) => {
        concat!(
            "echo ",
            $custom,
            " | kubectl debug -n {namespace} {pod} --image=\"$(kubectl get pod -n {namespace} {pod} -o \
             'jsonpath={.spec.ephemeralContainers[-1:].image}')\" --target=\"$(kubectl get pod -n {namespace} {pod} -o \
             'jsonpath={.spec.ephemeralContainers[-1:].targetContainerName}')\" --profile=",
            $profile,
            " --custom=/dev/stdin --arguments-only --attach -- check --target-pid={pid}"
        )
    };
}

const ONE_MORE_CONTAINER: &str = "the pod: one debug container is added";

const SAY_AS_TARGET: &str =
    "Run it again as {user} with {group}, in one more debug container, with kubectl 1.31:";

pub(crate) const DEBUG_AS_TARGET: Template = Template::change(
    SAY_AS_TARGET,
    debug!("'{\"securityContext\":{\"runAsUser\":'{user}',\"runAsGroup\":'{group}'}}'", "restricted"),
    ONE_MORE_CONTAINER,
);

/// The profile states runAsNonRoot.
pub(crate) const DEBUG_AS_ROOT_TARGET: Template = Template::change(
    SAY_AS_TARGET,
    debug!(
        "'{\"securityContext\":{\"runAsUser\":0,\"runAsGroup\":'{group}',\"runAsNonRoot\":false}}'",
        "restricted"
    ),
    ONE_MORE_CONTAINER,
);

/// `general` adds the capability.
pub(crate) const DEBUG_AS_ROOT: Template = Template::change(
    "Run it again as root with SYS_PTRACE, in one more debug container. This needs kubectl 1.31 and Pod Security level \
     privileged:",
    debug!("'{\"securityContext\":{\"runAsUser\":0,\"runAsNonRoot\":false}}'", "general"),
    ONE_MORE_CONTAINER,
);

pub(crate) const SEE_EXIT_CODE: Template = Template::look(
    "See the exit code. kubectl debug itself returns 0 in any case:",
    "kubectl get pod -n {namespace} {pod} -o 'jsonpath={.status.ephemeralContainerStatuses[*].state.terminated}'",
);

pub(crate) const SEE_IDS_OF_APP: Template = Template::look(
    "See uid and gid of the pod’s containers, from Kubernetes 1.31 on:",
    "kubectl get pod -n {namespace} {pod} -o 'jsonpath={.status.containerStatuses[*].user.linux}'",
);

pub(crate) const SEE_PIDS: Template =
    Template::look("See which processes are in sight, in a container that has a shell:", "ls /proc");

pub(crate) const LET_IT_CHOOSE: Template =
    Template::look("Let credprobe find the app’s process:", "credprobe check --target-pid=auto");

pub(crate) const JUDGE_PID: Template =
    Template::look("Judge it:", "credprobe check --target-pid={pid}").when("The app is {value}");

pub(crate) const JUDGE_CHILD: Template =
    Template::look("Judge {value}, which is most likely the app:", "credprobe check --target-pid={pid}");

pub(crate) const SET_IN_SPECIFICATION: Template = Template::change_in_words(
    "Set the AWS_ variables in the environment of the container in the pod specification, and not in the script that starts \
     the app.",
    "the environment of the app’s container",
);

pub(crate) const SHORTEN: Template = Template::change_in_words(
    "Shorten {value} in the environment of the container in the pod specification.",
    "the environment of the app’s container",
);

pub(crate) const NAME_ANOTHER: Template = Template::change_in_words(
    "Leave --target-pid out where credprobe itself is meant, else name the app’s process.",
    "credprobe’s arguments",
);

pub(crate) const FIND_ON_NODE: Template = Template::change_in_words(
    "Find the app’s pid on the node, where crictl inspect shows it as .info.pid, and name it with --target-pid.",
    "credprobe’s arguments",
);

pub(crate) const SHARE_PROCESSES: Template = Template::change_in_words(
    "Name the app’s container to kubectl debug with --target, or set shareProcessNamespace to true in the pod specification.",
    "the pid namespace that credprobe sees",
);

pub(crate) const SEE_PROC: Template =
    Template::look("See whether the container has a /proc:", "cat /proc/self/status");

pub(crate) const SEE_STATUS: Template =
    Template::look("See what the kernel says of the process:", "cat /proc/{pid}/status");

pub(crate) const REPORT_STATUS: Template =
    Template::words("Report that output to whoever gave you credprobe: it lacks lines that Linux writes.");

pub(crate) const SEE_ENVIRONMENT_SIZE: Template =
    Template::look("As the process’s user, see how large its environment is:", "wc -c /proc/{pid}/environ");

pub(crate) const SEE_IDS: Template = Template::look(
    "See its ids and its parent, in a container that has a shell:",
    "grep -E '^(Uid|Gid|PPid):' /proc/{pid}/status",
);

pub(crate) const SEE_ALL_IDS: Template =
    Template::look("Find the process whose ids are all the same:", "grep '^[UG]id:' /proc/[0-9]*/status");

pub(crate) const NAME_ONE_IDENTITY: Template =
    Template::change_in_words("name that process with --target-pid.", "credprobe’s arguments")
        .when("It is the app");

pub(crate) const START_WITH_ONE: Template = Template::change_in_words(
    "start it with those that it ends up with, runAsUser and runAsGroup.",
    "the user of the app’s container",
)
.when("The app itself changes its ids");

pub(crate) const INCONCLUSIVE: Texts = Texts {
    meaning: "Something that had to be seen could not be seen.",
    restart: "",
    causes: &[
        "With --target-pid the other process’s environment or files may not be read, mostly because credprobe has not its \
         uid and gid.",
        "A debug container sees neither the app’s variables nor its mounts, and no flags were given instead.",
        "Pod Identity with --expect-role: credentials were issued, but GetCallerIdentity did not say for which role.",
        "There is no verdict yet: serve has not finished its first judgement, or it was stopped while it waited.",
        "The node was short of memory or open files, or a file system did not answer.",
    ],
    steps: &[&SEE_IDS_OF_APP, &RUN_WITH_IDS, &LET_IT_CHOOSE, &DEBUG_AS_TARGET, &SEE_EXIT_CODE],
    beyond: &[&DEBUG_AS_ROOT],
};

// === A profile that goes on to another role ===

pub(crate) const COMPLETE_KEYS: Template = Template::change_in_words(
    "In the file that has profile {value}, give it both aws_access_key_id and aws_secret_access_key. If the pod’s own identity \
     is meant, take both out. AWS_SHARED_CREDENTIALS_FILE may name the file.",
    "the profile",
);

pub(crate) const PROFILE_IN_CODE: Template = Template::change_in_words(
    "name {value} in the app’s code, which comes before all variables, as profile in Terraform or --profile in the AWS CLI.",
    "the code of the app",
)
.when("The profile is meant");

pub(crate) const WITHOUT_IRSA: Template = Template::change_in_words(
    "start the app’s process without AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE, as env -u does.",
    "the environment of the app’s process",
)
.when("The code stays as it is");

pub(crate) const ALLOW_NEXT_ROLE: Template =
    Template::words("it needs {value}.").when("That role is meant, and refuses");

pub(crate) const ASK_WITH_PROFILE: Template = Template::look(
    "In the app’s container, see which role answers. It must be {role}:",
    "aws sts get-caller-identity --profile {value}",
);

pub(crate) const LEAVE_OUT_EXPECTED: Template = Template::change_in_words(
    "Leave --expect-role out, and credprobe judges the first role.",
    "credprobe’s arguments",
);

pub(crate) const ASK_AGENT_IN_PROFILE: Template = Template::change_in_words(
    "In {value} write credential_source = EcsContainer, which asks the Pod Identity agent.",
    "the profile",
);

pub(crate) const BEGIN_WITH_TOKEN: Template = Template::change_in_words(
    "In {value} write source_profile = irsa in place of credential_source. Add a profile irsa with role_arn = {role_arn} and \
     web_identity_token_file = {file}.",
    "the profile file",
);
