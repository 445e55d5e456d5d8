# The custom profile of recipe R1: what a debug container lacks of a container's spec to be given the same credentials.
#
#   kubectl get pod POD -o json | jq --arg container NAME -f profile.jq > profile.json

# The names in a value such as $(POD_NAME), as AWS_ROLE_SESSION_NAME often has it.
def referenced: .value // "" | scan("\\$\\(([^)]+)\\)") | .[0];

# Adds what the chosen variables refer to, in the order of the spec: a reference is to what stands before it.
def with_referenced($all):
  length as $before
  | [.[].name, (.[] | referenced)] as $names
  | [$all[] | select(.name as $name | $names | index($name))]
  | if length == $before then . else with_referenced($all) end;

# A debug container may not mount by subPath. The whole volume one level up has the file at the same path.
def without_subpath:
  if .subPath then .subPath as $below | .mountPath |= (rtrimstr("/") | rtrimstr("/" + $below)) else . end
  | del(.subPath, .subPathExpr);

.spec.securityContext as $of_pod
# Who it really runs as, when the user is named in its image only; not every cluster reports it.
| [(.status.containerStatuses, .status.initContainerStatuses)[]? | select(.name == $container) | .user.linux][0] as $ran_as
| [(.spec.containers, .spec.initContainers)[]? | select(.name == $container)][0]
| if . == null then error("the pod has no container \($container)") else . end
| [.env[]? | select(.name | startswith("AWS_"))] as $aws
| [$aws[].value // empty | select(startswith("/"))] as $files
| (.env // []) as $all
| .securityContext as $own
| {
    env: ($aws | with_referenced($all)),
    # By the names that the EKS webhook gives, or because a variable names a file there.
    volumeMounts: [
      .volumeMounts[]?
      | select(
          (.name == "aws-iam-token" or .name == "eks-pod-identity-token")
          or ((.mountPath | rtrimstr("/")) as $at | any($files[]; . == $at or startswith($at + "/")))
        )
      | without_subpath
    ],
    securityContext: (
      ($own // {})
      + (if $own.runAsUser == null and $of_pod.runAsUser == null and $ran_as.uid != null
         then {runAsUser: $ran_as.uid} else {} end)
      + (if $own.runAsGroup == null and $of_pod.runAsGroup == null and $ran_as.gid != null
         then {runAsGroup: $ran_as.gid} else {} end)
    )
  }
| with_entries(select(.value | length > 0))
