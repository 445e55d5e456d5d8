//! Compares STS's URLs from the judge crate with the endpoint rules of the SDK that sends the request.
//! The rules parse a table of all partitions. Doing that in every run took a third of a local check.

use aws_sdk_sts::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use credprobe_judge::settings::partition::{Partition, sts_url};
use proptest::prelude::*;

/// The SDK's URL. Its rules answer without waiting.
fn by_the_sdk(region: &str, fips: bool, dual_stack: bool) -> Result<String, String> {
    let params = Params::builder().region(region).use_fips(fips).use_dual_stack(dual_stack).build();
    let params = params.map_err(|error| error.to_string())?;
    let resolver = DefaultResolver::new();
    let future = std::pin::pin!(resolver.resolve_endpoint(&params));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.poll(&mut context) {
        std::task::Poll::Ready(answer) => {
            answer.map(|endpoint| endpoint.url().to_owned()).map_err(|error| error.to_string())
        }
        std::task::Poll::Pending => panic!("the endpoint rules gave no answer"),
    }
}

const PREFIXES: &str = "us|eu|ap|sa|ca|me|af|il|mx|cn|us-gov|us-iso|us-isob|eu-isoe|us-isof|eusc-de";

#[test]
fn each_partition_has_the_endpoints_of_the_sdks_rules() {
    for prefix in PREFIXES.split('|') {
        let region = format!("{prefix}-east-1");
        for (fips, dual_stack) in [(false, false), (true, false), (false, true), (true, true)] {
            assert_eq!(
                sts_url(&region, fips, dual_stack),
                by_the_sdk(&region, fips, dual_stack),
                "{region} fips {fips} dual stack {dual_stack}"
            );
        }
    }
}

proptest! {
    #[test]
    fn a_regions_endpoint_is_the_one_of_the_sdks_rules(
        region in "(us|eu|ap|sa|ca|me|af|il|mx|cn|us-gov|us-iso|us-isob|eu-isoe|us-isof|eusc-de)-[a-zA-Z0-9_]{1,62}-[0-9]{1,2}",
        fips: bool,
        dual_stack: bool,
    ) {
        prop_assert!(Partition::of_region(&region).is_some());
        prop_assert_eq!(sts_url(&region, fips, dual_stack), by_the_sdk(&region, fips, dual_stack));
    }
}
