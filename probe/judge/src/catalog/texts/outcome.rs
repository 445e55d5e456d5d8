//! Texts of codes 0 to 3: success, and what concerns the probe itself.
//! Owner `probe` means that nothing was said about the pod.

use super::{PROBE_CHAIN, PROBE_REPORT, SHOW_NAMES, Texts};

pub(crate) const READY: Texts = Texts {
    meaning: "The expected role answered.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "It proves that credentials were issued for this container's token and that they belong to the expected role. \
         With --no-identity the role's own word is missing; with --no-network (scope local) STS was not asked at all.",
        "It does not prove that the app uses this mechanism: another provider may come first in its SDK, or the SDK \
         may be older than the mechanism. Warnings in the report name such cases.",
        "It does not prove what the role may do: permissions, service control policies and bucket policies are not tried.",
        "It does not prove that the app's image trusts STS's certificate: the probe has root certificates compiled in.",
        "With Pod Identity the agent may answer from its cache: for up to 3 hours after the association or the trust \
         policy was taken away.",
    ],
    confirm: &[
        PROBE_REPORT,
        "# The last witness is the app's own container, if it has the AWS CLI:",
        "kubectl exec -n $NS $POD -c $CONTAINER -- aws sts get-caller-identity",
    ],
    repair: &[
        "# Nothing to repair. If the app fails nevertheless, see which provider its SDK takes:",
        PROBE_CHAIN,
        "# and what the role may do:",
        "aws iam list-attached-role-policies --role-name $ROLE",
        "aws iam list-role-policies --role-name $ROLE",
    ],
};

pub(crate) const INTERNAL_ERROR: Texts = Texts {
    meaning: "A bug in the probe; nothing is said about the pod.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The probe panicked, overflowed its stack or could not get memory.",
        "A memory limit that is too small for the probe can look the same.",
    ],
    confirm: &[
        "credprobe --version",
        "credprobe check --no-network --output=json",
        "kubectl describe pod $POD -n $NS",
    ],
    repair: &[
        "# Report it, with the two outputs above, to whoever gave you credprobe.",
        "# They hold account, role, issuer and addresses, but no secret.",
        "# Until then no pod has to wait for the probe: --report-only exits 0 whatever happens, and",
        "# CREDPROBE_DISABLED=\"why\" in its environment switches it off.",
    ],
};

pub(crate) const USAGE_ERROR: Texts = Texts {
    meaning: "A flag or value is wrong, or the port is in use.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "A flag that this version does not know, or one that belongs to another command.",
        "A value without its unit (a duration is 250ms, 10s, 2m) or an ARN or URL that is none.",
        "A CREDPROBE_ variable with a bad value: each flag has such a twin.",
        "serve: another process in the pod already listens on the port.",
    ],
    confirm: &[
        "credprobe check --help",
        "# The probe's flags and the names of its variables:",
        "kubectl get pod $POD -n $NS -o jsonpath='{..args} {..command}'",
        SHOW_NAMES,
    ],
    repair: &[
        "# Correct the flag or variable that the message names; a new port for serve is --listen=[::]:PORT.",
    ],
};

pub(crate) const INCONCLUSIVE: Texts = Texts {
    meaning: "Something that had to be seen could not be seen.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "--target-pid: the other process's environment or files may not be read, mostly because uid and gid are not \
         both the target's.",
        "A debug container sees neither the app's variables nor its mounts, and no flags were given instead.",
        "Pod Identity with --expect-role: credentials were issued, but GetCallerIdentity did not say for which role.",
        "No verdict yet: serve has not finished its first judgement, or it was stopped while waiting.",
    ],
    confirm: &[
        PROBE_REPORT,
        "# The uid and gid that the app really has:",
        "kubectl get pod $POD -n $NS -o jsonpath='{.status.containerStatuses[*].user.linux}'",
    ],
    repair: &[
        "# The report says what was not seen and which of these lets it:",
        "# - give the debug container the app's uid and gid (kubectl debug --custom, runAsUser and runAsGroup);",
        "# - or give it the app's variables and token mount in the same file;",
        "# - or say what cannot be seen: --role-arn, --token-file, --as-uid, --as-gid.",
    ],
};
