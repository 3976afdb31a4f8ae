"""What the service asks of its machine."""

import resource
from collections.abc import Iterator

import pytest

import service
from bot.config import Config
from executor import descriptors


@pytest.fixture
def hard_limit(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The hard limit of open files; the soft one is as it was afterwards."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.setattr(descriptors, "_before", [])
    yield before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_service_may_open_as_many_files_as_the_machine_allows(hard_limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard_limit))
    most = service.FILES if hard_limit == resource.RLIM_INFINITY else min(hard_limit, service.FILES)
    for _ in range(2):
        assert descriptors.raise_limit(service.FILES) == most
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, hard_limit)
        assert descriptors.before() == 256


def test_higher_limit_that_somebody_gave_stays(hard_limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard_limit))
    assert descriptors.raise_limit(200) == 300
    assert descriptors.before() is None


def test_connections_never_take_more_than_half_of_the_files(
    hard_limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard_limit))
    monkeypatch.setattr(service, "FILES", 300)
    assert service.connection_limit(Config())._most == 150
