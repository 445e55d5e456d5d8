"""One moto for all tests of the folder, because its start takes longer than a test."""

import pytest

from kubectl.aws import Aws


@pytest.fixture(scope="session")
def all_aws():
    with Aws() as aws:
        yield aws


@pytest.fixture
def aws(all_aws):
    all_aws.reset()
    return all_aws
