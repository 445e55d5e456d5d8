//! Texts of SDKs about the way to STS.

use super::texts;

const NAME: &str = "The host’s name does not exist for this pod’s DNS. Correct the region or the endpoint in the pod’s variables; where \
    the name is right, a private zone or a search domain hides it.";
const DNS: &str = "The pod’s DNS does not answer. See whether CoreDNS runs and whether a network policy lets the pod reach port 53.";
const TIMEOUT: &str = "Nothing answers at that address: packets are dropped on the way. For a private address open port 443 in the security \
    group of the VPC endpoint; for a public one give the subnet a way out.";
const REFUSED: &str = "Something answered that nobody listens on that port, often a mesh’s proxy that is not up yet. Start the app after \
    the proxy, or see who owns the address.";
const TLS: &str = "The certificate that was presented is not one that the client trusts: a proxy that opens TLS, a private endpoint, or an \
    image without certificates. Give the client the right bundle, by AWS_CA_BUNDLE or SSL_CERT_FILE, or add certificates to the image.";
const PROXY: &str =
    "The proxy of HTTPS_PROXY refused the way to AWS. Allow STS’s host there, or put it into NO_PROXY.";
const METADATA: &str = "The SDK found no web identity and no container credentials, and asked the node’s metadata service, which did not \
    answer. Let the webhook inject the pod’s variables: annotate the service account or associate it, then make new pods.";

texts! {
    "network"
    NotInjected "Get \"http://169.254.169.254/latest/meta-data/iam/security-credentials/\"" in "169.254.169.254", "all SDKs", METADATA, "external-secrets/external-secrets#2677";
    NameNotFound "dial tcp: lookup sts.us-east-5.amazonaws.com: no such host" in "no such host", "Go v1 and v2", NAME, "fluxcd/source-controller#1552";
    NameNotFound "getaddrinfo ENOTFOUND", "JavaScript", NAME, "no public thread looked up";
    NameNotFound "Name or service not known", "boto3, C++, curl", NAME, "boto/boto3#4301";
    NameNotFound "java.net.UnknownHostException: sts" in "UnknownHostException", "Java", NAME, "no public thread looked up";
    DnsFailed "Temporary failure in name resolution", "boto3, curl", DNS, "boto/boto3#4333";
    DnsFailed "getaddrinfo EAI_AGAIN", "JavaScript", DNS, "no public thread looked up";
    DnsFailed "lookup sts: server misbehaving" in "lookup " "server misbehaving", "Go v1 and v2", DNS, "fluxcd/source-controller#1552";
    DnsFailed "lookup sts on 172.20.0.10:53: i/o timeout" in "lookup " ":53: i/o timeout", "Go v1 and v2", DNS, "aws-controllers-k8s/community#2736";
    ConnectTimeout "Connect timeout on endpoint URL" in "Connect timeout on endpoint URL", "boto3, AWS CLI", TIMEOUT, "aws/amazon-vpc-cni-k8s#1796";
    ConnectTimeout "dial tcp: i/o timeout" in "dial tcp" "i/o timeout", "Go v1 and v2", TIMEOUT, "kubernetes-sigs/external-dns#1470";
    ConnectRefused "dial tcp: connect: connection refused" in "dial tcp" "connection refused", "Go v1 and v2", REFUSED, "istio/istio#11130";
    ConnectRefused "Could not connect to the endpoint URL", "boto3, AWS CLI",
        "boto3 says this for a name that does not exist and for a refused connection alike. Look at the host in the message: correct the region or the endpoint, else see who refuses.",
        "boto/boto3#4301";
    Unreachable "network is unreachable", "all SDKs",
        "The pod has no route to that address, as IPv4 from an IPv6 pod or a subnet without a way out. Use a dual-stack endpoint or a VPC endpoint, or add the route.",
        "aws/amazon-vpc-cni-k8s#2912";
    Unreachable "no route to host", "all SDKs",
        "The pod has no route to that address, or a firewall says so. Use a VPC endpoint, or add the route.",
        "aws/amazon-vpc-cni-k8s#2912";
    TlsFailed "x509: certificate signed by unknown authority", "Go v1 and v2, kubectl", TLS, "aws/containers-roadmap#586";
    TlsFailed "x509: certificate is valid for", "Go v1 and v2, kubectl",
        "The certificate is another host’s: DNS or a proxy leads the name to another server. Correct the private zone, or use the endpoint’s own name.",
        "aws/containers-roadmap#586";
    TlsFailed "x509: certificate has expired or is not yet valid", "Go v1 and v2, kubectl",
        "The certificate is past its end, or the node’s clock is wrong. Compare the node’s time with the dates in the message.",
        "kubernetes/kubernetes#11371";
    TlsFailed "SSL validation failed for https://sts.amazonaws.com/" in "SSL validation failed for", "boto3, AWS CLI", TLS, "aws/containers-roadmap#586";
    TlsFailed "certificate verify failed", "boto3, Ruby, curl", TLS, "no public thread looked up";
    TlsFailed "PKIX path building failed", "Java", TLS, "no public thread looked up";
    TlsFailed "unable to get local issuer certificate", "JavaScript", TLS, "no public thread looked up";
    ProxyFailed "Failed to connect to proxy URL", "boto3, AWS CLI", PROXY, "boto/botocore 0e6e2404, 2026-08";
    ProxyFailed "proxyconnect tcp", "Go v1 and v2", PROXY, "DataDog/datadog-agent#52191";
    ProxyFailed "Proxy Authentication Required", "all SDKs", PROXY, "no public thread looked up";
    ResponseTimeout "Read timeout on endpoint URL", "boto3, AWS CLI",
        "The connection stands, and no answer came in time. Look for a proxy or an endpoint that accepts and does not answer, and try again.",
        "boto/botocore 0e6e2404, 2026-08";
    ResponseTimeout "net/http: TLS handshake timeout", "Go v1 and v2, kubectl",
        "The connection stands, and the TLS handshake did not end in time. Look for a proxy, or for packets that are too large for the path, and try again.",
        "no public thread looked up";
    ConnectionBroken "Connection was closed before we received a valid response from endpoint URL", "boto3, AWS CLI",
        "The connection was closed before an answer came. Try again; where it lasts, look for a proxy or firewall that ends connections.",
        "boto/botocore 0e6e2404, 2026-08";
    ConnectionBroken "connection reset by peer", "all SDKs",
        "Somebody on the way ended the connection. Try again; where it lasts, look for a proxy, a mesh or a firewall.",
        "istio/istio#25493";
}
