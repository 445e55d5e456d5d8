"""Compares the probe's regions, partitions and STS hosts with botocore's data; fails on any difference.

`chain` prints the hosts. No command prints the lists of FIPS and opt-in regions and the suffixes of the partitions' hosts, so
they are read from the sources, in whatever file they are. A region that only botocore knows is a difference too: the probe's table is old.
"""

import json
import os
import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import botocore
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader

from lib import given
from lib.programs import run

DATA = Path(botocore.__file__).parent / "data"
PARTITIONS = json.loads((DATA / "partitions.json").read_text())["partitions"]
REGIONS = {region: it["id"] for it in PARTITIONS for region in it["regions"] if not region.endswith("-global")}
SOURCES = [path for path in (given.ROOT / "probe").rglob("*.rs") if "target" not in path.parts]
# Enabled by default (account guide, "Regions"), but not among those that botocore serves by the global endpoint.
ON_BY_DEFAULT = {"ap-northeast-2", "ap-northeast-3"}

# boto3 makes no dual-stack client there, because its older data lacks a host that its rules have.
NO_DUAL_STACK = {"eu-isoe-west-1", "us-isof-east-1", "us-isof-south-1"}


@cache
def listed(name: str) -> set[str]:
    """The strings of a constant in the sources."""
    pattern = re.compile(rf"const {name}: &\[&str\] = &\[(.*?)\];", re.DOTALL)
    found = [match[1] for path in SOURCES for match in pattern.finditer(path.read_text())]
    assert len(found) == 1, f"{name} stands {len(found)} times in the sources"
    return set(re.findall(r'"([^"]+)"', found[0]))


@cache
def partitions() -> dict[str, dict[str, list[str]]]:
    """The table in partition.rs: the prefixes and host suffixes of each id."""
    (path,) = [path for path in SOURCES if path.name == "partition.rs"]
    table = re.search(r"const PARTITIONS: .*?= &\[(.*?)\n\];", path.read_text(), re.DOTALL)
    assert table, f"{path} has no table PARTITIONS"
    entries = re.findall(r'id: "([^"]+)",\s*region_prefixes: &\[(.*?)\],\s*host_suffixes: &\[(.*?)\]', table[1], re.DOTALL)
    words = re.compile(r'"([^"]+)"')
    return {id: {"prefixes": words.findall(prefixes), "ends": words.findall(ends)} for id, prefixes, ends in entries}


def test_regions_are_those_of_botocore() -> None:
    assert listed("REGIONS") == set(REGIONS)


def test_partitions_are_those_of_botocore() -> None:
    assert partitions().keys() == {it["id"] for it in PARTITIONS}


@pytest.mark.parametrize("partition", PARTITIONS, ids=lambda it: it["id"])
def test_a_partition_has_its_regions_and_the_ends_of_its_hosts(partition: dict) -> None:
    ours, outputs = partitions()[partition["id"]], partition["outputs"]
    # `aws` has the same suffixes, so the table leaves them out.
    ends = ours["ends"] or partitions()["aws"]["ends"]
    assert ends == [outputs["dnsSuffix"], outputs["dualStackDnsSuffix"]]
    # `^(us|eu)\-\w+\-\d+$` and `^eusc\-(de)\-\w+\-\d+$`, as words before `-WORD-DIGITS`.
    form = partition["regionRegex"].removeprefix("^").removesuffix(r"\-\w+\-\d+$").replace(r"\-", "-")
    choice = re.search(r"\((.*)\)", form)
    said = [form.replace(choice[0], it) for it in choice[1].split("|")] if choice else [form]
    assert sorted(ours["prefixes"]) == sorted(said)


def test_fips_regions_are_those_with_a_host_of_their_own() -> None:
    """GovCloud's hosts are FIPS hosts without a name that says so."""
    services = [it["services"]["sts"] for it in json.loads((DATA / "endpoints.json").read_text())["partitions"]]
    hosts = [
        variant["hostname"]
        for service in services
        for endpoint in service["endpoints"].values()
        for variant in endpoint.get("variants", [])
        if "fips" in variant["tags"]
    ]
    assert listed("FIPS_REGIONS") == {it.split(".")[1] for it in hosts if it.startswith("sts-fips.")}


def test_opt_in_regions_are_those_that_came_after_the_global_endpoint() -> None:
    rules = Loader().load_service_model("sts", "endpoint-rule-set-1")
    old = set(strings(rules)) & REGIONS.keys()
    assert {"us-east-1", "sa-east-1"} < old
    expected = {region for region, id in REGIONS.items() if id == "aws"} - old - ON_BY_DEFAULT
    assert listed("OPT_IN_REGIONS") == expected


def strings(rules: object) -> Iterator[str]:
    """All strings of the rules. The regions among them are those that the global endpoint may represent."""
    match rules:
        case str():
            yield rules
        case list():
            for it in rules:
                yield from strings(it)
        case dict():
            yield from strings(list(rules.values()))


@pytest.mark.parametrize(("fips", "dual_stack"), [*product([False, True], repeat=2)])
def test_chain_names_the_host_that_botocore_calls(fips: bool, dual_stack: bool) -> None:
    differences = {}
    for region in REGIONS:
        ours, theirs = host_of_chain(region, fips, dual_stack), host_of_botocore(region, fips, dual_stack)
        if ours != theirs:
            differences[region] = (ours, theirs)
    assert differences.keys() == (NO_DUAL_STACK if dual_stack else set()), differences


def host_of_chain(region: str, fips: bool, dual_stack: bool) -> str | None:
    environment = {
        "HOME": "/nonexistent",
        "AWS_ROLE_ARN": "arn:aws:iam::814203749616:role/checkout-reader",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere",
        "AWS_STS_REGIONAL_ENDPOINTS": "regional",
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_USE_FIPS_ENDPOINT": str(fips).lower(),
        "AWS_USE_DUALSTACK_ENDPOINT": str(dual_stack).lower(),
    }
    ran = run([given.probe(), "chain", "--sdk=botocore", "--output=json"], environment)
    return json.loads(ran.stdout)["sdks"][0]["sts"]["host"]


@cache
def session() -> botocore.session.Session:
    made = botocore.session.Session()
    # Ignore the settings of the user who runs this.
    for name in ("config_file", "credentials_file"):
        made.set_config_variable(name, os.devnull)
    made.set_config_variable("sts_regional_endpoints", "regional")
    made.set_config_variable("ignore_configured_endpoint_urls", True)
    made.set_credentials("x", "x")
    return made


def host_of_botocore(region: str, fips: bool, dual_stack: bool) -> str | None:
    config = Config(use_fips_endpoint=fips, use_dualstack_endpoint=dual_stack)
    try:
        # Follows its rules, as a call would. `meta.endpoint_url` comes from older data without the dual stack of isolated partitions.
        client = session().create_client("sts", region, config=config)
        return urlsplit(client.generate_presigned_url("get_caller_identity")).hostname
    except BotoCoreError:
        return None
