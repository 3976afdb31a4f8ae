"""What the service asks of its machine, and makes of the secrets it is configured with."""

import resource
from collections.abc import Iterator

import pytest

import service
from bot import clients
from bot.access import links
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


def _signed_with(*signing_secrets: str, app_token: str | None = None) -> links.Keys:
    slack = {"bot_token": "xoxb-1", "signing_secret": [*signing_secrets], "app_token": app_token}
    return links.derive(clients.door_secrets(Config.model_validate({"slack": slack})))


def test_links_stay_valid_while_a_signing_secret_is_rotated() -> None:
    old, both, new = _signed_with("old"), _signed_with("new", "old"), _signed_with("new")
    link = links.sign("/runs/1", expires=2000, keys=old)
    assert links.verify("/runs/1", link, now=1000, keys=both)
    assert not links.verify("/runs/1", link, now=1000, keys=new)
    link = links.sign("/runs/1", expires=2000, keys=both)
    assert links.verify("/runs/1", link, now=1000, keys=new)


def test_links_outlive_a_restart_with_socket_mode_alone() -> None:
    link = links.sign("/runs/1", expires=2000, keys=_signed_with(app_token="xapp-1"))
    assert links.verify("/runs/1", link, now=1000, keys=_signed_with(app_token="xapp-1"))


def test_log_shows_no_secret_of_slack() -> None:
    slack = {"bot_token": "xoxb-1", "signing_secret": ["one", "two"], "app_token": "xapp-1"}
    hidden = {each.reveal() for each in clients.secrets(Config.model_validate({"slack": slack}))}
    assert {"xoxb-1", "one", "two", "xapp-1"} <= hidden
