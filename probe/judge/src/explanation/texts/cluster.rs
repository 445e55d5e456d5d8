//! Texts of the API server, EKS's authenticator and their clients about an identity.

use super::texts;

const UNKNOWN: &str = "The cluster knows no user for this IAM identity, or the token was made for another cluster’s name. Create an \
    access entry with the role’s full ARN, or an aws-auth line with the ARN without the role’s path, whichever the cluster’s authentication mode reads.";
const HOST: &str = "The token names an STS host that EKS’s authenticator does not accept. Make it with the regional endpoint of \
    STS: no interface endpoint’s own name, no custom AWS_ENDPOINT_URL_STS.";
const HELPER: &str = "The program that makes the token failed before it asked the cluster. Its own error stands above this line or in \
    the controller’s log; credprobe check in that pod says why there are no credentials.";
const NODE: &str = "The API server knows no user for the role of the node’s instance profile, so the node cannot join the cluster. \
    Create an access entry of type EC2_LINUX for that role, EC2_WINDOWS for Windows, or its aws-auth line with the groups system:bootstrappers and system:nodes.";
const CLIENT: &str = "The API server takes no user from the token: this IAM identity has no access entry or aws-auth line in the \
    cluster, or the token is too old. Create the entry with the role’s full ARN, or the line without the role’s path, and make a new token for each run.";

texts! {
    "cluster"
    ClusterUnauthorized "\"Unable to register node with API server\" err=\"Unauthorized\"" in "kubelet" "Unauthorized" "!401" "!Exception", "the kubelet", NODE, "awslabs/amazon-eks-ami#1837, 2024-06";
    ClusterUnauthorized "Unable to register node with API server: Unauthorized" in "register node" "Unauthorized", "the kubelet", NODE, "cloudposse/terraform-aws-eks-cluster#13, 2019-03";
    ClusterUnauthorized "error: You must be logged in to the server (Unauthorized)" in "You must be logged in to the server", "kubectl", UNKNOWN, "kodermax/kubectl-aws-eks#5, 2021-06";
    ClusterUnauthorized "the server has asked for the client to provide credentials", "kubectl, Helm, Argo CD, client-go", UNKNOWN, "argoproj/argo-cd#3941, 2020-07";
    ClusterUnauthorized "Your current IAM principal doesn't have access to Kubernetes objects on this cluster", "the EKS console", UNKNOWN, "no public thread looked up";
    ClusterUnauthorized "Error: Unauthorized", "Terraform", UNKNOWN, "terraform-aws-modules/terraform-aws-eks#1287, 2021-03";
    ClusterUnauthorized "failed to get server version: Unauthorized" in "failed to get server version" ": Unauthorized", "Argo CD", UNKNOWN, "argoproj/argo-cd#24876, 2025-10";
    ClusterUnauthorized "failed to discover server resources for group version v1: Unauthorized" in "failed to discover server resources" "Unauthorized", "Argo CD", UNKNOWN, "argoproj/argo-cd#24876, 2025-10";
    ClusterUnauthorized "\"message\":\"Unauthorized\",\"reason\":\"Unauthorized\",\"code\":401" in "\"reason\"" "\"Unauthorized\"" "401", "the API server, client libraries", UNKNOWN, "kubernetes-sigs/aws-iam-authenticator#157, 2018-11";
    ClusterUnauthorized "\"kind\": \"Status\", \"message\": \"Unauthorized\"" in "\"Status\"" "\"message\"" "\"Unauthorized\"", "the API server, client libraries", UNKNOWN, "aws-quickstart/quickstart-amazon-eks#245, 2020-11";
    ClusterUnauthorized "(401) Reason: Unauthorized" in "(401)" "Reason: Unauthorized", "Python client", UNKNOWN, "no public thread looked up";
    ClusterUnauthorized "the server doesn't have a resource type \"svc\"" in "the server doesn't have a resource type", "kubectl", UNKNOWN, "kubernetes-sigs/aws-iam-authenticator#157, 2018-11";
    ClusterUnauthorized "couldn't get current server API group list: Unauthorized" in "API group list: Unauthorized", "kubectl", CLIENT, "kubernetes/client-go, discovery, 2026-11";
    ClusterUnauthorized "reflector.go:150] err=\"Unauthorized\"" in ".go:" "err=\"Unauthorized\"", "client-go", CLIENT, "awslabs/amazon-eks-ami#1837, 2024-06";
    ClusterUnauthorized "Failed to delete Job! API error: Unauthorized" in "API error: Unauthorized", "Terraform", CLIENT, "hashicorp/terraform-provider-kubernetes#1130, 2021-01";
    ClusterUnauthorized "Failed to list *v1.Node: Unauthorized" in "ailed to " "*v" ": Unauthorized", "client-go", CLIENT, "aws/amazon-vpc-cni-k8s#254, 2018-12";
    ClusterUnauthorized "Error: Failed to update daemonset: Unauthorized" in "rror: Failed to " ": Unauthorized", "Terraform", CLIENT, "hashicorp/terraform-provider-kubernetes#1130, 2021-01";
    ClusterUnauthorized "identity is not mapped", "EKS authenticator’s log", UNKNOWN, "kubernetes-sigs/aws-iam-authenticator 81b1daba, 2026-07";
    ClusterUnauthorized "ARN is not mapped", "EKS authenticator’s log", UNKNOWN, "kubernetes-sigs/aws-iam-authenticator#268";
    ClusterUnauthorized "SessionName did not contain an instance id", "EKS authenticator’s log",
        "A line of aws-auth has the template EC2PrivateDNSName, which only sessions of EC2 instances can fill. Give the role a line or an access entry of its own.",
        "kubernetes-sigs/aws-iam-authenticator#419";
    ClusterUnauthorized "X-Amz-Date parameter is expired (15 minute expiration)" in "X-Amz-Date parameter is expired", "EKS authenticator’s log",
        "The token is older than 15 minutes, or the clock where it was made is wrong. Make a new token for each start, and do not store it.",
        "kubernetes-sigs/aws-iam-authenticator 81b1daba, 2026-07";
    ClusterTokenRefused "unexpected hostname in pre-signed URL" in "unexpected hostname" "pre-signed URL", "EKS authenticator’s log", HOST, "kubernetes-sigs/aws-iam-authenticator 81b1daba, 2026-07";
    ClusterTokenRefused "global endpoint unsupported in partition", "EKS authenticator’s log", HOST, "kubernetes-sigs/aws-iam-authenticator 81b1daba, 2026-07";
    ClusterTokenRefused "could not parse region for pre-signed URL", "EKS authenticator’s log", HOST, "kubernetes-sigs/aws-iam-authenticator 81b1daba, 2026-07";
    ClusterTokenRefused "token is too large", "EKS authenticator’s log",
        "The token is longer than 4,096 bytes, as sessions with many tags make it. Disable session tags in the Pod Identity association, or use shorter names.",
        "kubernetes-sigs/aws-iam-authenticator 81b1daba, 2026-07";
    ClusterForbidden "is forbidden: User cannot" in "is forbidden: User" "cannot", "kubectl, Terraform, client libraries",
        "The cluster knows the caller, and RBAC does not let that user do this. Bind a role to the user or one of its groups, or associate an access policy with its access entry.",
        "terraform-aws-modules/terraform-aws-eks#2988, 2024-03";
    ClusterForbidden "is attempting to grant RBAC permissions not currently held" in "RBAC permissions not currently held", "the API server",
        "The cluster knows the caller, and nobody may hand out rights in a role or a binding without having them. Let somebody who has these rights do it, for example with the access policy AmazonEKSClusterAdminPolicy, or allow the caller the verb escalate on roles or bind on bindings.",
        "kubernetes/kubernetes, RBAC escalation check, 2026-11";
    ClusterForbidden "Authorization error (user=kube-apiserver-kubelet-client" , "kubectl logs and exec",
        "The kubelet refuses the API server, most often after the aws-auth line of the nodes’ role was broken. Repair aws-auth, or the access entry of the nodes’ role.",
        "eksctl-io/eksctl#519, 2019-02";
    wrapper of Pod "executable argocd-k8s-auth failed with exit code 20" in "argocd-k8s-auth failed with exit code", "Argo CD", HELPER, "argoproj-labs/terraform-provider-argocd#194, 2022-07";
    wrapper of Pod "getting credentials: exec: executable aws failed with exit code" in "getting credentials: exec: executable" "failed", "kubectl, Terraform, Argo CD", HELPER, "kubernetes/kubectl#1243, 2022-07";
    none of Pod "getting credentials: exec: executable aws not found" in "exec: executable" "not found", "kubectl, Argo CD",
        "The kubeconfig calls a program that this image lacks. Add the AWS CLI or aws-iam-authenticator to the image, or for Argo CD use awsAuthConfig.",
        "argoproj/argo-cd#11048, 2022-10";
    none of Pod "no kind \"ExecCredential\" is registered for version" in "no kind \"ExecCredential\" is registered", "kubectl, Argo CD",
        "The kubeconfig names a version of the exec protocol that this client no longer has. Write it anew with aws eks update-kubeconfig of a current AWS CLI.",
        "argoproj/argo-cd#13557, 2023-05";
}
