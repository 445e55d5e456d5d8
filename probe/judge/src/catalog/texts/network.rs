//! Texts of codes 40 to 49: the way to STS.
//! The way to the Pod Identity agent is among the agent's texts, as is who answers there.

use super::{
    EDIT, NETWORK_POLICIES, PROBE_CHAIN, PROBE_REPORT, PROBE_WAIT, REPLACES_PODS, SHOW_ENDPOINTS,
    SHOW_ENVIRONMENT, Texts,
};

const DNS_PODS: &str = "kubectl get pods -n kube-system -l k8s-app=kube-dns -o wide";

const DNS_LOGS: &str = "kubectl logs -n kube-system -l k8s-app=kube-dns --tail=50";

const RESOLVE: &str =
    "kubectl exec -n $NS $POD -c $CONTAINER -- getent hosts $STS_HOST kubernetes.default.svc";

const CERTIFICATE: &str = "kubectl exec -i -n $NS $POD -c $CONTAINER -- \
     openssl s_client -connect $STS_HOST:443 -servername $STS_HOST </dev/null";

const POD_ADDRESSES: &str =
    "kubectl get pod $POD -n $NS -o jsonpath='{.status.podIPs} {.spec.hostNetwork}{\"\\n\"}'";

const ENDPOINT_GROUP: &str = "aws ec2 describe-security-groups --region $REGION --group-ids $ENDPOINT_GROUP";

const OPEN_ENDPOINT: &str = "aws ec2 authorize-security-group-ingress --region $REGION \
     --group-id $ENDPOINT_GROUP --protocol tcp --port 443 --source-group $POD_GROUP";

pub(crate) const DNS_FAILED: Texts = Texts {
    meaning: "The name was not resolved: DNS failed or did not answer.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "CoreDNS is down, overloaded or not yet started; on a new node its way there may not be ready.",
        "A network policy or security group blocks port 53, UDP or TCP.",
        "CoreDNS cannot reach the resolver above it (SERVFAIL).",
        "The pod's resolv.conf (dnsPolicy, dnsConfig) names servers that do not answer.",
    ],
    confirm: &[DNS_PODS, DNS_LOGS, RESOLVE, NETWORK_POLICIES],
    repair: &[
        "# If it comes and goes while pods start, waiting is enough:",
        PROBE_WAIT,
        "# If CoreDNS hangs (restarts the cluster's DNS, one pod after the other):",
        "kubectl rollout restart deployment/coredns -n kube-system",
        "# If a policy blocks it, add an egress rule to port 53, UDP and TCP, of the kube-dns pods.",
    ],
};

pub(crate) const NAME_NOT_FOUND: Texts = Texts {
    meaning: "DNS works, but this host name does not exist.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "A region that does not exist, or of another partition, stands in AWS_REGION.",
        "FIPS is asked for where STS has no FIPS host (AWS_USE_FIPS_ENDPOINT).",
        "The configured endpoint (AWS_ENDPOINT_URL_STS) has a spelling mistake.",
        "A private hosted zone or a rewriting rule of the cluster's DNS hides the public name.",
    ],
    confirm: &[
        SHOW_ENVIRONMENT,
        RESOLVE,
        "kubectl get configmap coredns -n kube-system -o yaml",
        "aws route53 list-hosted-zones --query 'HostedZones[?Config.PrivateZone].Name'",
    ],
    repair: &[
        "# If the region is wrong:",
        REPLACES_PODS,
        "kubectl set env deployment/$DEPLOYMENT -n $NS AWS_REGION=$REGION",
        "# If FIPS is not required:",
        REPLACES_PODS,
        "kubectl set env deployment/$DEPLOYMENT -n $NS AWS_USE_FIPS_ENDPOINT-",
        "# If a private zone hides it, add a record for the host to that zone.",
    ],
};

pub(crate) const CONNECT_REFUSED: Texts = Texts {
    meaning: "The endpoint's address refuses the connection.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "A mesh sidecar captures the traffic and is not up yet: init containers run before it.",
        "The configured endpoint names a port where nobody listens.",
        "A firewall rejects instead of dropping.",
    ],
    confirm: &[
        PROBE_REPORT,
        SHOW_ENVIRONMENT,
        "kubectl get pod $POD -n $NS -o jsonpath='{.spec.initContainers[*].name} {.spec.containers[*].name}{\"\\n\"}'",
    ],
    repair: &[
        "# While a sidecar starts, waiting is enough:",
        PROBE_WAIT,
        "# For init containers: make the mesh's proxy a native sidecar that comes first, or leave STS out of its capture:",
        REPLACES_PODS,
        EDIT,
    ],
};

pub(crate) const CONNECT_TIMEOUT: Texts = Texts {
    meaning: "The connection attempt got no answer.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "Private address: the security group of the STS interface endpoint does not admit port 443 from the pods.",
        "Public address: no way out of the subnet (no NAT gateway), or egress is blocked by network policy, security \
         group or network ACL.",
        "The pod has a security group of its own (security groups for pods) without a rule for 443.",
        "The way out is a proxy, and no proxy is configured for this pod.",
        "The global endpoint is asked in a network that reaches only the regional one.",
    ],
    confirm: &[PROBE_REPORT, SHOW_ENDPOINTS, ENDPOINT_GROUP, NETWORK_POLICIES],
    repair: &[
        "# Private address: admit the pods (adds a rule):",
        OPEN_ENDPOINT,
        "# Public address: give the subnet a way out, or an interface endpoint for com.amazonaws.$REGION.sts with",
        "# private DNS, which then answers for the whole network. Global endpoint: set AWS_STS_REGIONAL_ENDPOINTS=regional.",
    ],
};

pub(crate) const UNREACHABLE: Texts = Texts {
    meaning: "There is no route to the endpoint's address.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The pod has only IPv6 (or only IPv4) and the endpoint answers only with the other.",
        "The subnet's route table has no default route.",
        "The pod's network is not set up yet, or an egress rule answers with `prohibited`.",
    ],
    confirm: &[
        PROBE_REPORT,
        POD_ADDRESSES,
        "aws ec2 describe-route-tables --region $REGION",
        NETWORK_POLICIES,
    ],
    repair: &[
        "# IPv6-only pods: ask the dual-stack endpoint:",
        REPLACES_PODS,
        "kubectl set env deployment/$DEPLOYMENT -n $NS AWS_USE_DUALSTACK_ENDPOINT=true",
        "# Missing route: add a default route to a NAT gateway, or an interface endpoint for com.amazonaws.$REGION.sts.",
        "# While the pod's network is being set up, waiting is enough:",
        PROBE_WAIT,
    ],
};

pub(crate) const TLS_FAILED: Texts = Texts {
    meaning: "TLS with the endpoint failed, or its certificate did.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "A proxy or firewall opens TLS and shows a certificate of its own; the report names the issuer.",
        "A DNS rewrite leads to another host: the certificate's names do not include the one asked for.",
        "AWS_CA_BUNDLE or SSL_CERT_FILE lacks the authority that signed the certificate.",
        "The certificate is expired or not yet valid, or this machine's clock says so.",
        "The endpoint speaks no TLS on this port, or only versions that are no longer accepted.",
    ],
    confirm: &[PROBE_REPORT, CERTIFICATE, "date -u"],
    repair: &[
        "# If the interception is intended, give its authority to the app and to the probe; for the probe:",
        "credprobe check --ca-bundle=/path/to/ca.pem",
        "# and for the SDKs AWS_CA_BUNDLE (it takes the place of the built-in roots, so it must hold all that is needed).",
        "# If it is not intended, exempt the STS host from inspection.",
    ],
};

pub(crate) const PROXY_FAILED: Texts = Texts {
    meaning: "The configured proxy did not let the connection through.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The proxy does not allow the STS host (403) or wants a login (407).",
        "The proxy is down, or its name or port is wrong.",
        "The proxy itself cannot reach STS (502, 503, 504).",
    ],
    confirm: &[
        PROBE_REPORT,
        PROBE_CHAIN,
        "kubectl exec -n $NS $POD -c $CONTAINER -- curl -sSv -o /dev/null https://$STS_HOST/",
    ],
    repair: &[
        "# Have the STS host allowed at the proxy; or, if the pod reaches STS without it, add .amazonaws.com to the",
        "# present NO_PROXY and no_proxy (do not replace what is there):",
        REPLACES_PODS,
        EDIT,
        "# If the proxy was only away for a moment:",
        PROBE_WAIT,
    ],
};

pub(crate) const RESPONSE_TIMEOUT: Texts = Texts {
    meaning: "Connected, but no answer came in time.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "A firewall lets the connection through and swallows what follows; TLS inspection often does.",
        "Packets are too large for a tunnel on the way (MTU) and the notice of it is dropped.",
        "A mesh sidecar accepts everything and cannot reach the destination.",
        "STS or the way to it is slow.",
    ],
    confirm: &[
        PROBE_REPORT,
        "kubectl exec -n $NS $POD -c $CONTAINER -- curl -sSv -m 10 -o /dev/null https://$STS_HOST/",
        "# The MTU:",
        "kubectl exec -n $NS $POD -c $CONTAINER -- ip link",
    ],
    repair: &[
        "# If it is only slow:",
        "credprobe check --timeout=30s --wait=2m",
        "# In TLS: exempt the STS host from inspection, or lower the pod network's MTU below the tunnel's.",
        "# In HTTP: look at the proxy or sidecar that the connection goes through.",
    ],
};

pub(crate) const CONNECTION_BROKEN: Texts = Texts {
    meaning: "The connection broke before the answer was complete.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "A firewall or proxy resets connections to names that it does not allow.",
        "A mesh sidecar was restarted or is not ready.",
        "An idle or overloaded NAT or load balancer dropped the connection.",
    ],
    confirm: &[
        PROBE_REPORT,
        "kubectl exec -n $NS $POD -c $CONTAINER -- curl -sSv -o /dev/null https://$STS_HOST/",
    ],
    repair: &[
        "# Once in a while is normal; judge again:",
        PROBE_WAIT,
        "# If it stays: allow the STS host at the firewall or proxy, or leave it out of the mesh's capture.",
    ],
};

pub(crate) const NOT_STS: Texts = Texts {
    meaning: "Somebody other than STS answered.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "A proxy, captive portal or web filter answered with a page or a redirect of its own.",
        "A mesh egress gateway answered (503 without an STS request id).",
        "AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_STS leads to an emulator or another service.",
        "A private DNS record or a hosts entry leads to a wrong machine.",
    ],
    confirm: &[PROBE_REPORT, SHOW_ENVIRONMENT, RESOLVE, CERTIFICATE],
    repair: &[
        "# If an endpoint is configured by mistake:",
        REPLACES_PODS,
        "kubectl set env deployment/$DEPLOYMENT -n $NS AWS_ENDPOINT_URL- AWS_ENDPOINT_URL_STS-",
        "# If a proxy answers: have the STS host allowed there, or add it to the present NO_PROXY.",
        "# An STS of another maker (Ceph, SeaweedFS, MinIO) is judged with --sts-compatible.",
    ],
};
