//! The probe's own reports for STS's three answers. The probe's retry policy decides on them.

use credprobe_judge::evidence::{Collected, Evidence, Exchange, Identity, Network, StsError};
use credprobe_judge::report::{Report, ReportOptions};
use credprobe_judge::verdict::Tolerate;

const ROLE: &str = "arn:aws:iam::814203749616:role/checkout-reader";
const SESSION: &str = "arn:aws:sts::814203749616:assumed-role/checkout-reader/credprobe";

pub(crate) struct Answers {
    /// STS answered both calls.
    pub(crate) ready: Report,
    /// STS answered the exchange, and throttled GetCallerIdentity.
    pub(crate) unconfirmed: Report,
    /// `Throttling`, without `Retry-After`, which STS does not send.
    pub(crate) throttled: Report,
}

impl Answers {
    pub(crate) fn new() -> Self {
        let issued = Exchange {
            status: 200,
            from_sts: true,
            issued: true,
            assumed_role_arn: Some(SESSION.to_owned()),
            ..Exchange::default()
        };
        let refused =
            Exchange { status: 400, from_sts: true, error: Some(rate_exceeded()), ..Exchange::default() };
        let known = Identity { status: Some(200), arn: Some(SESSION.to_owned()), ..Identity::default() };
        let unknown = Identity { status: Some(400), error: Some(rate_exceeded()), ..Identity::default() };
        Self {
            ready: report(issued.clone(), Some(known)),
            unconfirmed: report(issued, Some(unknown)),
            throttled: report(refused, None),
        }
    }
}

/// As STS sends it: with status 400, never 429.
fn rate_exceeded() -> StsError {
    StsError { code: "Throttling".to_owned(), message: "Rate exceeded".to_owned() }
}

fn report(exchange: Exchange, identity: Option<Identity>) -> Report {
    let mut evidence = Evidence::default();
    for (name, value) in
        [("AWS_ROLE_ARN", ROLE), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"), ("AWS_REGION", "eu-west-1")]
    {
        evidence.environment.variables.insert(name.to_owned(), value.to_owned());
    }
    evidence.network = Some(Network::default());
    evidence.exchange = Some(exchange);
    evidence.identity = identity;
    let options =
        ReportOptions { tolerate: &Tolerate::default(), report_only: false, attempts: 1, flapped: false };
    credprobe_judge::assess(Collected { evidence, seen: true, observed_at: 0, timings: Vec::new() }, &options)
}
