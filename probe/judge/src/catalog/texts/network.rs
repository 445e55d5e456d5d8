//! Texts of codes 40 to 49: the way to STS.
//! The way to the Pod Identity agent is among the agent's texts, as is who answers there.

use super::{Texts, common};
use crate::steps::template::Template;

pub(crate) const SEE_DNS_PODS: Template = Template::look(
    "See whether CoreDNS runs:",
    "kubectl get pods -n kube-system -l k8s-app=kube-dns -o wide",
);

pub(crate) const SEE_DNS_LOG: Template = Template::look(
    "See whether CoreDNS logs errors:",
    "kubectl logs -n kube-system -l k8s-app=kube-dns --prefix --tail=20",
);

pub(crate) const SEE_FORWARD: Template = Template::look(
    "See where CoreDNS forwards questions, and whether that server works:",
    "kubectl get configmap -n kube-system coredns -o yaml",
);

pub(crate) const OPEN_PORT_53: Template = Template::change_in_words(
    "allow port 53, UDP and TCP, from this pod to CoreDNS: in the namespace’s network policies, and in the security groups \
     of the nodes that run CoreDNS. On Fargate and with security groups for pods the pod has its own.",
    "a network policy or a security group: port 53 is allowed",
)
.when("Port 53 is blocked");

pub(crate) const OPEN_FORWARD: Template = Template::change_in_words(
    "let the CoreDNS pods reach that server on port 53, UDP and TCP: the VPC’s resolver, or what forward in the Corefile names.",
    "a security group or a route: port 53 is allowed",
)
.when("The log has i/o timeout");

pub(crate) const SEE_ZONES: Template = Template::look(
    "See whether a private hosted zone hides the public name:",
    "aws route53 list-hosted-zones --query 'HostedZones[?Config.PrivateZone].[Name,Id]' --output text",
);

pub(crate) const DNS_PODS_FAIL: Template =
    Template::change_in_words("let whoever runs the cluster repair it.", "the cluster’s DNS")
        .when("CoreDNS does not run");

pub(crate) const RESTART_COREDNS: Template = Template::change(
    "If CoreDNS hangs, restart it, one pod after the other. All pods of the cluster use it:",
    "kubectl rollout restart -n kube-system deployment/coredns",
    "the cluster’s DNS, which restarts",
);

pub(crate) const DNS_FAILED: Texts = Texts {
    meaning: "The name was not resolved: DNS failed or did not answer.",
    restart: "",
    causes: &[
        "A network policy or a security group blocks port 53, UDP or TCP.",
        "CoreDNS is down, overloaded or has not started yet. On a new node the way to it may not be ready.",
        "CoreDNS cannot reach the resolver above it and answers SERVFAIL.",
        "The pod’s dnsPolicy or dnsConfig names servers that do not answer.",
    ],
    steps: &[&SEE_DNS_PODS, &SEE_DNS_LOG, &DNS_PODS_FAIL, &OPEN_PORT_53],
    beyond: &[&RESTART_COREDNS],
};

pub(crate) const REPAIR_FORWARD: Template = Template::change_in_words(
    "Let whoever runs the DNS repair the server behind CoreDNS, or the way to it.",
    "the DNS behind CoreDNS",
);

pub(crate) const REMOVE_RECORD: Template = Template::change_in_words(
    "Remove the record {value}, which the search list made of the name, or set ndots to 1 in the pod’s dnsConfig.",
    "a DNS record, or the pod’s dnsConfig",
);

pub(crate) const SEE_STS_ENDPOINTS: Template = Template::look(
    "See whether the region has an interface endpoint for STS, and in which VPC:",
    "aws ec2 describe-vpc-endpoints --region {region} --filters Name=service-name,Values=com.amazonaws.{region}.sts --query 'VpcEndpoints[].[VpcEndpointId,State,PrivateDnsEnabled,VpcId]' --output text",
);

pub(crate) const REPAIR_DNS: Template = Template::change_in_words(
    "Remove what hides the public name: a rewrite in CoreDNS, a private hosted zone for amazonaws.com without this record, \
     or a record that points to a deleted endpoint.",
    "a rule or a record of the DNS",
);

pub(crate) const CREATE_ENDPOINT: Template = Template::change(
    "Create an interface endpoint for STS. Its private DNS answers in the whole VPC, and AWS bills it by the hour. A subnet \
     in each zone and a security group that admits port 443 from all pods are needed:",
    "aws ec2 create-vpc-endpoint --region {region} --vpc-endpoint-type Interface --service-name com.amazonaws.{region}.sts --private-dns-enabled --vpc-id \"${vpc:?is not set}\" --subnet-ids \"${subnet:?is not set}\" --security-group-ids \"${group:?is not set}\"",
    "the VPC: an interface endpoint for STS is added",
);

pub(crate) const NAME_NOT_FOUND: Texts = Texts {
    meaning: "DNS works, but this host name does not exist.",
    restart: "",
    causes: &[
        "AWS_REGION names a region that does not exist, or one of another partition.",
        "The configured endpoint, AWS_ENDPOINT_URL_STS or AWS_ENDPOINT_URL, names a host that does not exist.",
        "AWS_USE_FIPS_ENDPOINT is set where STS has no FIPS host.",
        "The SDK knows no partitions and calls amazonaws.com in China or an isolated region.",
        "A private hosted zone or a rule of the cluster’s DNS hides the public name.",
    ],
    steps: &[&common::SEE_VARIABLES, &common::SEE_COREDNS, &SEE_STS_ENDPOINTS, &common::SET_REGION],
    beyond: &[&CREATE_ENDPOINT],
};

/// STS answers a plain GET with a redirect to a page about it.
pub(crate) const SEE_REGIONAL: Template = Template::look(
    "From this network, see whether the region’s own endpoint answers:",
    "curl -sS -o /dev/null -w '%{http_code} %{remote_ip}\\n' {endpoint}/",
);

pub(crate) const SET_REGION_AND_REGIONAL: Template = Template::change(
    "set the region to {region}, and the endpoint to its own. This replaces the pods of {workload}. If Argo CD, Flux or Helm \
     manages it, change it there:",
    "kubectl set env -n {namespace} {workload} AWS_REGION={region} AWS_DEFAULT_REGION={region} AWS_STS_REGIONAL_ENDPOINTS=regional",
    "the environment of all containers of {workload}, whose pods are replaced",
);

pub(crate) const OPEN_REGIONAL: Template = Template::change_in_words(
    "let whoever runs the network open TCP 443 to it, by a rule, a NAT gateway or an interface endpoint.",
    "a rule of the network, or the VPC",
)
.when("It does not");

pub(crate) const USE_NEWER: Template = Template::change_in_words("use it.", "the app’s version")
    .when("A newer version of {value} knows this partition");

pub(crate) const SET_IN_CODE: Template = Template::change_in_words(
    "set {endpoint} as its endpoint of STS in code or configuration. {value} reads no AWS_ENDPOINT_URL_STS.",
    "the code or the configuration of the app",
)
.when("There is none");

pub(crate) const SEE_CONTAINERS: Template = Template::look(
    "See whether a mesh’s sidecar is among the containers, and before or after this one:",
    "kubectl get pod -n {namespace} {pod} -o 'jsonpath={.spec.initContainers[*].name}{\" \"}{.spec.containers[*].name}{\"\\n\"}'",
);

pub(crate) const START_LISTENER: Template = Template::change_in_words(
    "Start what listens there before this container, or remove the endpoint that leads there.",
    "the order of the pod’s containers, or its environment",
);

pub(crate) const START_SERVER: Template = Template::change_in_words(
    "start it, or correct the endpoint’s address.",
    "the server, or the environment of the workload’s containers",
)
.when("The server does not run");

pub(crate) const ALLOW_443: Template = Template::change_in_words(
    "allow TCP {port} to {host} there.",
    "a network policy: port {port} is allowed",
)
.when("A network policy blocks it");

pub(crate) const CONNECT_REFUSED: Texts = Texts {
    meaning: "The endpoint’s address refuses the connection.",
    restart: "",
    causes: &[
        "A mesh’s sidecar captures the traffic and is not up yet: init containers run before it.",
        "The configured endpoint names a port where nothing listens.",
        "A network policy or a firewall rejects the connection.",
    ],
    steps: &[&SEE_CONTAINERS, &common::SEE_NETWORK_POLICIES, &common::ALLOW_IN_MESH, &ALLOW_443],
    beyond: &[],
};

pub(crate) const SEE_ADDRESS: Template = Template::look(
    "See whose address it is, and its security groups:",
    "aws ec2 describe-network-interfaces --region {region} --filters Name=addresses.private-ip-address,Values={address} --query 'NetworkInterfaces[].[Description,VpcId,Groups[].GroupId]' --output json",
);

pub(crate) const SEE_RULES: Template = Template::look(
    "See whom these groups admit. Name one in the shell variable group:",
    "aws ec2 describe-security-group-rules --region {region} --filters Name=group-id,Values=\"${group:?is not set}\" --output table",
);

pub(crate) const ADMIT_PODS: Template = Template::change_in_words(
    "Let whoever administers the endpoint admit TCP {port} from the pods.",
    "the endpoint’s security group: one rule is added",
);

pub(crate) const GIVE_EGRESS: Template = Template::change_in_words(
    "give the subnet a NAT gateway, or let whoever runs the VPC create an interface endpoint for STS.",
    "the subnet’s route table, or the VPC",
)
.when("No way out of the subnet");

pub(crate) const GIVE_EGRESS_IPV6: Template = Template::change_in_words(
    "give its route table a route ::/0 to an egress-only internet gateway, or the VPC an interface endpoint for STS.",
    "the subnet’s route table, or the VPC",
)
.when("No way out of the subnet");

pub(crate) const ALLOW_EGRESS: Template = Template::change_in_words(
    "allow TCP {port} to {host} in the network policy, the security group or the firewall.",
    "a rule for port {port}",
)
.when("A rule blocks it");

pub(crate) const CONNECT_TIMEOUT: Texts = Texts {
    meaning: "The connection attempt got no answer.",
    restart: "",
    causes: &[
        "Private address: the security group of the STS interface endpoint does not admit port 443 from the pods.",
        "Public address: the subnet has no NAT gateway, or a network policy, a security group or a network ACL blocks egress.",
        "The pod has a security group of its own without a rule for port 443.",
        "The way out is a proxy, and this pod has none configured.",
        "The global endpoint is asked in a network that reaches only the regional one.",
    ],
    steps: &[&SEE_ADDRESS, &SEE_RULES, &common::SEE_NETWORK_POLICIES, &SEE_STS_ENDPOINTS],
    beyond: &[&CREATE_ENDPOINT],
};

pub(crate) const SEE_POD_ADDRESSES: Template = Template::look(
    "See which addresses the pod has:",
    "kubectl get pod -n {namespace} {pod} -o 'jsonpath={.status.podIPs}{\" \"}{.spec.hostNetwork}{\"\\n\"}'",
);

/// The variable would move every service of the app.
pub(crate) const USE_DUAL_STACK: Template = Template::change_in_words(
    "let it use STS’s dual-stack endpoint: AWS_ENDPOINT_URL_STS=https://sts.{region}.api.aws, then make new pods. \
     AWS_USE_DUALSTACK_ENDPOINT would move every AWS service.",
    "the environment of the workload’s containers",
)
.when("The pod has IPv6 addresses alone");

pub(crate) const ADD_ROUTE_IF: Template = ADD_ROUTE.when("It has an IPv4 address");

pub(crate) const ADD_ROUTE: Template = Template::change_in_words(
    "Let whoever runs the network give the subnet’s route table a route to {address}.",
    "the subnet’s route table",
);

pub(crate) const UNREACHABLE: Texts = Texts {
    meaning: "There is no route to the endpoint’s address.",
    restart: "",
    causes: &[
        "The pod has only IPv6, or only IPv4, and the endpoint answers only with the other.",
        "The subnet’s route table has no default route.",
        "The pod’s network is not set up yet, or an egress rule rejects the packet.",
    ],
    steps: &[&SEE_POD_ADDRESSES, &common::SEE_NETWORK_POLICIES, &USE_DUAL_STACK, &ADD_ROUTE],
    beyond: &[&CREATE_ENDPOINT],
};

pub(crate) const CREATE_CA: Template = Template::change(
    "Put the authority’s certificate into a ConfigMap. Take ca.pem from whoever runs the inspection, never from this connection:",
    "kubectl create configmap -n {namespace} tls-inspection --from-file=ca.pem",
    "the namespace: ConfigMap tls-inspection is added",
);

pub(crate) const MOUNT_CA: Template = Template::change_in_words(
    "mount a bundle with it into the app’s and credprobe’s containers, name it in AWS_CA_BUNDLE, then make new pods. It takes \
     the place of the built-in roots. credprobe explain tls-failed shows how.",
    "the pod’s volumes and environment",
)
.when("It is theirs, and the host must be inspected");

pub(crate) const EXTEND_BUNDLE: Template = Template::change_in_words(
    "add that authority to the bundle that AWS_CA_BUNDLE names, where it comes from. Then make new pods.",
    "the bundle that AWS_CA_BUNDLE names",
)
.when("It is theirs, and the host must be inspected");

pub(crate) const SEE_SIGNER: Template = Template::look(
    "From another machine of this network, see who signs for the host:",
    "curl -skvo /dev/null https://{host}/",
);

pub(crate) const ASK_WHOSE: Template = Template::words(
    "Ask whoever runs the network whether that authority is theirs. If it is not, tell security.",
);

pub(crate) const EXEMPT_HOST: Template = Template::change_in_words(
    "let them exempt {host} from inspection. The pod stays as it is.",
    "the rules of the inspection",
)
.when("It is theirs, and the host need not be inspected");

pub(crate) const STATE_BUNDLE: Template = Template::look(
    "If that authority is to be trusted, such as a TLS inspection of your own, state its bundle in the debug container:",
    "credprobe check --target-pid={pid} --ca-bundle={file}",
);

pub(crate) const ADD_TO_BUNDLE: Template =
    Template::change_in_words("add that authority to it.", "the bundle that {variable} names")
        .when("The bundle is needed");

pub(crate) const REMOVE_BUNDLE: Template = common::UNSET_VARIABLE.when("It is not");

pub(crate) const LEAD_BACK: Template = Template::change_in_words(
    "Remove what leads {host} elsewhere: a rewrite in CoreDNS, a CNAME, a hosts entry, a rule of the mesh.",
    "a rule or a record that leads the name elsewhere",
);

pub(crate) const CORRECT_ENDPOINT: Template = Template::change_in_words(
    "Correct the endpoint or the proxy in the container’s environment.",
    "the environment of the workload’s containers",
);

pub(crate) const SEE_CLOCK: Template =
    Template::look("On {node}, see whether its clock is right:", "chronyc tracking");

pub(crate) const RENEW_CERTIFICATE: Template = Template::change_in_words(
    "If it is, whoever runs this endpoint renews the certificate.",
    "the endpoint’s certificate",
);

pub(crate) const TLS_FAILED: Texts = Texts {
    meaning: "TLS with the endpoint failed, or its certificate did.",
    restart: "",
    causes: &[
        "A proxy or a firewall opens TLS and shows a certificate of its own. The report names the issuer.",
        "A rule of the DNS leads to another host, whose certificate does not hold this name.",
        "AWS_CA_BUNDLE or SSL_CERT_FILE lacks the authority that signed the certificate.",
        "An isolated partition has authorities of its own, which public roots do not contain.",
        "The certificate is expired or not yet valid, or this node’s clock says so.",
        "The endpoint speaks no TLS on this port, or only versions that are no longer accepted.",
    ],
    steps: &[
        &common::SEE_COREDNS,
        &SEE_CLOCK,
        &RENEW_CERTIFICATE,
        &SEE_SIGNER,
        &CREATE_CA,
        &ASK_WHOSE,
        &EXEMPT_HOST,
        &MOUNT_CA,
    ],
    beyond: &[],
};

pub(crate) const ALLOW_AT_PROXY: Template = Template::change_in_words(
    "let whoever runs it allow CONNECT to {host}, port {port}.",
    "the rules of the proxy",
)
.when("The pod needs the proxy");

/// A command would overwrite the variable in the other containers.
pub(crate) const BYPASS_PROXY: Template = Template::change_in_words(
    "add {host} to NO_PROXY of each container that uses the proxy, behind what is there. Then make new pods.",
    "the environment of the workload’s containers",
)
.when("The cluster’s VPC has an endpoint");

pub(crate) const PROXY_FAILED: Texts = Texts {
    meaning: "The configured proxy did not let the connection through.",
    restart: "",
    causes: &[
        "The proxy does not allow the STS host, status 403, or wants a login, status 407.",
        "The proxy is down, or its name or port is wrong.",
        "The proxy itself cannot reach STS, status 502, 503 or 504.",
    ],
    steps: &[&SEE_STS_ENDPOINTS, &ALLOW_AT_PROXY, &BYPASS_PROXY],
    beyond: &[],
};

pub(crate) const SEE_MESH_LOG: Template = Template::look(
    "If Istio’s proxy runs in this pod, see its log:",
    "kubectl logs -n {namespace} {pod} -c istio-proxy --tail=20",
);

pub(crate) const LET_PASS: Template = Template::change_in_words(
    "Let the firewall or proxy that has this address let {host}, port {port}, through. If Istio’s log shows the host, it needs a \
     ServiceEntry.",
    "a rule of firewall, proxy or mesh",
);

pub(crate) const RESPONSE_TIMEOUT: Texts = Texts {
    meaning: "Connected, but no answer came in time.",
    restart: "",
    causes: &[
        "A firewall lets the connection through and drops what follows. TLS inspection often does.",
        "Packets are too large for a tunnel on the way, and the notice of it is dropped.",
        "A mesh’s sidecar accepts everything and cannot reach the destination.",
        "STS or the way to it is slow.",
    ],
    steps: &[&SEE_ADDRESS, &SEE_MESH_LOG, &LET_PASS],
    beyond: &[],
};

pub(crate) const CONNECTION_BROKEN: Texts = Texts {
    meaning: "The connection broke before the answer was complete.",
    restart: "",
    causes: &[
        "A firewall or a proxy resets connections to names that it does not allow.",
        "A mesh’s sidecar was restarted or is not ready.",
        "A NAT gateway or a load balancer dropped an idle connection or is overloaded.",
    ],
    steps: &[&SEE_ADDRESS, &SEE_MESH_LOG, &LET_PASS],
    beyond: &[],
};

pub(crate) const ALLOW_AT_FILTER: Template = Template::change_in_words(
    "Allow {host} at the filter, proxy or firewall that answered.",
    "the rules of the filter",
);

pub(crate) const STATE_COMPATIBLE: Template = Template::change_in_words(
    "If another server than AWS’s is meant, such as Ceph, SeaweedFS or MinIO, add --sts-compatible to credprobe’s arguments.",
    "credprobe’s arguments",
);

pub(crate) const STATE_SERVER: Template =
    Template::change_in_words("add --sts-compatible to credprobe’s arguments.", "credprobe’s arguments")
        .when("{host} is meant, as with Ceph, MinIO or SeaweedFS");

pub(crate) const SEE_TO_SERVER: Template = Template::change_in_words(
    "let whoever runs it see to it, or correct {variable}.",
    "the server, or the endpoint’s setting",
)
.when("{host} is meant");

pub(crate) const NOT_STS: Texts = Texts {
    meaning: "Somebody other than STS answered.",
    restart: "",
    causes: &[
        "A proxy, a captive portal or a web filter answered with a page or a redirect of its own.",
        "AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_STS leads to an emulator or to another service.",
        "A mesh’s egress gateway answered: status 503 without a request id of STS.",
        "A private DNS record or a hosts entry leads to a wrong machine.",
    ],
    steps: &[&common::SEE_VARIABLES, &common::SEE_COREDNS, &ALLOW_AT_FILTER, &STATE_COMPATIBLE],
    beyond: &[],
};
