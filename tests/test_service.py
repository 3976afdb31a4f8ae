"""What the service asks of its machine."""

import resource
from collections.abc import Iterator

import pytest

import service


@pytest.fixture
def hard_limit() -> Iterator[int]:
    """The hard limit of open files; the soft one is as it was afterwards."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_service_may_open_as_many_files_as_the_machine_allows(hard_limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard_limit))
    service.allow_files()
    most = service.FILES if hard_limit == resource.RLIM_INFINITY else min(hard_limit, service.FILES)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, hard_limit)
    service.allow_files()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, hard_limit)


def test_higher_limit_that_somebody_gave_stays(hard_limit: int) -> None:
    higher = service.FILES + 1
    if hard_limit != resource.RLIM_INFINITY and hard_limit < higher:
        pytest.skip("the machine does not allow so many")
    resource.setrlimit(resource.RLIMIT_NOFILE, (higher, hard_limit))
    service.allow_files()
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == higher
