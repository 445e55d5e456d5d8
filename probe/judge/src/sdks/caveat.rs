//! What holds only for some SDKs, and the variable that causes it. Pure.
//! `chain` prints it; `judge` says what of it matters for a verdict.

use super::sdk::{AgentProxy, Ipv6, Legacy, MetadataOff, Sdk};
use super::{OnFailure, Provider, Proxying, SdkChain, Stop, Way, agent_proxied_by, call, joined, stop, way};
use crate::evidence::Environment;
use serde::{Serialize, Serializer};

/// A remark about some SDKs.
#[derive(Debug, Serialize)]
pub(super) struct Caveat {
    /// The name of the variable.
    pub(super) because: &'static str,
    pub(super) text: String,
    /// The SDKs that it concerns.
    #[serde(serialize_with = "ids")]
    pub(super) sdks: Vec<&'static Sdk>,
}

impl Caveat {
    pub(super) fn is_about(&self, sdk: &Sdk) -> bool {
        self.sdks.iter().any(|other| other.id == sdk.id)
    }
}

fn ids<S: Serializer>(sdks: &[&Sdk], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(sdks.iter().map(|sdk| sdk.id))
}

/// Every caveat of this environment that concerns at least one SDK.
pub(super) fn caveats(environment: &Environment, chains: &[SdkChain]) -> Vec<Caveat> {
    let all = [
        stops(chains),
        hidden_keys(environment, chains),
        regions(environment, chains),
        legacy(environment, chains),
        sts_way(environment, chains),
        agent_way(environment),
        ipv6(environment, chains),
        both_tokens(environment, chains),
        both_uris(environment, chains),
        node_role(environment, chains),
        metadata_always(environment, chains),
    ];
    all.into_iter().flatten().filter(|caveat| !caveat.sdks.is_empty()).collect()
}

fn named(chains: &[SdkChain], of: impl Fn(&SdkChain) -> bool) -> Vec<&'static Sdk> {
    chains.iter().filter(|chain| of(chain)).map(|chain| chain.sdk).collect()
}

fn picks(chain: &SdkChain, provider: Provider) -> bool {
    chain.picks().is_some_and(|picked| picked.provider == provider)
}

/// Values at which SDKs stop, or at which the provider that they pick fails.
fn stops(chains: &[SdkChain]) -> Vec<Caveat> {
    let caveat = |stop: &'static Stop| Caveat {
        because: stop.variable,
        text: match stop.at {
            None => format!("{}: they stop before any provider", stop.problem),
            Some(provider) => format!("{}: they fail at {}", stop.problem, provider.words()),
        },
        sdks: named(chains, |chain| chain.stops.iter().any(|other| std::ptr::eq(*other, stop))),
    };
    stop::all().iter().map(caveat).collect()
}

fn hidden_keys(environment: &Environment, chains: &[SdkChain]) -> Vec<Caveat> {
    let both =
        environment.get("AWS_PROFILE").is_some() && environment.get("AWS_ACCESS_KEY_ID") == Some("set");
    let sdks = named(chains, |chain| both && chain.sdk.quirks.profile_hides_keys);
    vec![Caveat {
        because: "AWS_PROFILE",
        text: "with it, keys in the environment are left out".to_owned(),
        sdks,
    }]
}

/// The SDKs that do not read a region variable and therefore call another host than the others.
fn regions(environment: &Environment, chains: &[SdkChain]) -> Vec<Caveat> {
    let host = |chain: &SdkChain| call(chain.sdk, environment).map(|call| call.host);
    let of = |because: &'static str| {
        environment.get(because)?;
        let reads = |chain: &SdkChain| chain.sdk.sts.as_ref().map(|sts| sts.regions.contains(&because));
        let usual = |chain: &SdkChain| {
            chain.sdk.sts.as_ref().is_some_and(|sts| matches!(sts.legacy, Legacy::Ignored | Legacy::Honoured))
        };
        let reader = chains.iter().find(|chain| usual(chain) && reads(chain) == Some(true))?;
        let judged = host(reader);
        let differs = |chain: &SdkChain| {
            reads(chain) == Some(false)
                && chain.picks().is_some_and(|it| asks_sts(it.provider))
                && call(chain.sdk, environment).is_some_and(|call| call.by != LEGACY)
                && host(chain) != judged
        };
        let hosts: std::collections::BTreeSet<String> =
            chains.iter().filter(|chain| differs(chain)).filter_map(host).flatten().collect();
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let text = format!("they do not read it, and call {}", joined(&hosts));
        Some(Caveat { because, text, sdks: named(chains, differs) })
    };
    of("AWS_REGION").into_iter().chain(of("AWS_DEFAULT_REGION")).collect()
}

fn asks_sts(provider: Provider) -> bool {
    matches!(provider, Provider::WebIdentity | Provider::ProfileWebIdentity)
}

const LEGACY: &str = "AWS_STS_REGIONAL_ENDPOINTS";

fn legacy(environment: &Environment, chains: &[SdkChain]) -> Vec<Caveat> {
    let moved = |chain: &SdkChain| {
        chain.picks().is_some_and(|it| asks_sts(it.provider))
            && call(chain.sdk, environment).is_some_and(|call| call.by == LEGACY)
    };
    let text = "not regional: they call the global endpoint".to_owned();
    vec![Caveat { because: LEGACY, text, sdks: named(chains, moved) }]
}

fn sts_way(environment: &Environment, chains: &[SdkChain]) -> Vec<Caveat> {
    let proxied = environment.get("HTTPS_PROXY").is_some() || environment.get("https_proxy").is_some();
    let asks = |chain: &SdkChain| proxied && chain.picks().is_some_and(|it| asks_sts(it.provider));
    let by = |wanted: Proxying| move |chain: &SdkChain| asks(chain) && chain.sdk.proxy == wanted;
    let through = |chain: &SdkChain| {
        let host = call(chain.sdk, environment).and_then(|call| call.host);
        let way = host.and_then(|host| way(chain.sdk.proxy, environment, &host));
        asks(chain) && matches!(way, Some(Way::Proxy { .. }))
    };
    let caveat =
        |text: &str, sdks: Vec<&'static Sdk>| Caveat { because: "HTTPS_PROXY", text: text.to_owned(), sdks };
    vec![
        caveat("they ask STS through it", named(chains, through)),
        caveat(
            "they do not read it: STS is asked directly, unless the application passes an agent in code",
            named(chains, by(Proxying::Never)),
        ),
        caveat("whether they read it was not observed", named(chains, by(Proxying::Unknown))),
    ]
}

fn agent_way(environment: &Environment) -> Vec<Caveat> {
    let text =
        "they send what is meant for the agent, its token included, to the proxy: NO_PROXY lacks its address";
    let sdks = if environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI").is_some() {
        agent_proxied_by(environment)
    } else {
        Vec::new()
    };
    vec![Caveat { because: "HTTP_PROXY", text: text.to_owned(), sdks }]
}

fn ipv6(environment: &Environment, chains: &[SdkChain]) -> Vec<Caveat> {
    const BECAUSE: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    let is_ipv6 = stop::is_ipv6(environment);
    let of = |wanted: Ipv6, text: &str| {
        let takes = |chain: &SdkChain| {
            is_ipv6 && picks(chain, Provider::Container) && chain.sdk.container.ipv6 == wanted
        };
        Caveat { because: BECAUSE, text: text.to_owned(), sdks: named(chains, takes) }
    };
    vec![of(Ipv6::Unknown, "it is an IPv6 address; whether they take it was not observed")]
}

fn both_tokens(environment: &Environment, chains: &[SdkChain]) -> Vec<Caveat> {
    const BECAUSE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
    let both = environment.get(BECAUSE) == Some("set")
        && environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").is_some();
    let sdks = named(chains, |chain| both && chain.sdk.container.both_tokens == "env");
    vec![Caveat { because: BECAUSE, text: "they take it instead of the token file".to_owned(), sdks }]
}

fn both_uris(environment: &Environment, chains: &[SdkChain]) -> Vec<Caveat> {
    const BECAUSE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
    let both =
        environment.get(BECAUSE).is_some() && environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI").is_some();
    let sdks = named(chains, |chain| both && chain.sdk.container.both_uris == "relative");
    let text =
        "they ask 169.254.170.2, not the agent that AWS_CONTAINER_CREDENTIALS_FULL_URI names".to_owned();
    vec![Caveat { because: BECAUSE, text, sdks }]
}

fn node_role(environment: &Environment, chains: &[SdkChain]) -> Vec<Caveat> {
    const BECAUSE: &str = "AWS_EC2_METADATA_DISABLED";
    let reaches = |chain: &SdkChain| {
        let imds = chain.providers.iter().any(|it| it.provider == Provider::Imds);
        imds && matches!(chain.on_failure, OnFailure::GoesOn { .. }) && !environment.is_true(BECAUSE)
    };
    let text = "not true: when all before it fails, they take the node's role without a word".to_owned();
    vec![Caveat { because: BECAUSE, text, sdks: named(chains, reaches) }]
}

fn metadata_always(environment: &Environment, chains: &[SdkChain]) -> Vec<Caveat> {
    const BECAUSE: &str = "AWS_EC2_METADATA_DISABLED";
    let sdks = named(chains, |chain| {
        environment.is_true(BECAUSE) && chain.sdk.quirks.metadata_off == MetadataOff::Never
    });
    vec![Caveat { because: BECAUSE, text: "they do not read it".to_owned(), sdks }]
}

impl Ipv6 {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::WithMode => "only with AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6",
            Self::Unknown => "not observed",
        }
    }
}

impl AgentProxy {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Bypass => "never",
            Self::Environment => "HTTP_PROXY",
            Self::Unknown => "not observed",
        }
    }
}
