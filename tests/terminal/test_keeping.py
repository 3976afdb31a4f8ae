"""Logins of the command line: in the keyring where there is one, else in a file that nobody else may read."""

import json
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from terminal.keeping import SERVICE, Logins

HERE = "https://errand.example.com"


class Ring:
    """A keyring as the library gives one."""

    def __init__(self, priority: float = 5) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.priority = priority
        self.is_locked = False

    def module(self) -> SimpleNamespace:
        """The library."""

        def get(service: str, name: str) -> str | None:
            if self.is_locked:
                raise RuntimeError("locked")
            return self.entries.get((service, name))

        def put(service: str, name: str, value: str) -> None:
            if self.is_locked:
                raise RuntimeError("locked")
            self.entries[service, name] = value

        return SimpleNamespace(
            get_keyring=lambda: self,
            get_password=get,
            set_password=put,
            delete_password=lambda service, name: self.entries.pop((service, name)),
        )


@pytest.fixture
def logins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Logins:
    monkeypatch.setitem(sys.modules, "keyring", None)
    return Logins({"XDG_CONFIG_HOME": str(tmp_path)})


def test_without_a_keyring_a_file_of_ones_own_has_it(logins: Logins) -> None:
    assert logins.keep(HERE, "ada", 9.0, "secret-1") is False
    assert stat.S_IMODE(logins.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(logins.path.parent.stat().st_mode) == 0o700
    kept = logins.at(HERE)
    assert kept is not None
    assert (kept.login, logins.token(kept)) == ("ada", "secret-1")


def test_keyring_has_the_token_and_the_file_has_none(logins: Logins, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = Ring()
    monkeypatch.setitem(sys.modules, "keyring", ring.module())
    assert logins.keep(HERE, "ada", 9.0, "secret-1") is True
    assert "secret-1" not in logins.path.read_text()
    kept = logins.at(HERE)
    assert kept is not None
    assert logins.token(kept) == ring.entries[SERVICE, HERE] == "secret-1"
    ring.is_locked = True
    assert logins.token(kept) is None
    ring.is_locked = False
    logins.forget(HERE)
    assert (ring.entries, logins.at(HERE)) == ({}, None)


@pytest.mark.parametrize("ring", [Ring(priority=0), SimpleNamespace(is_locked=True)])
def test_keyring_that_keeps_nothing_is_none(
    logins: Logins, monkeypatch: pytest.MonkeyPatch, ring: object
) -> None:
    module = ring.module() if isinstance(ring, Ring) else SimpleNamespace()
    monkeypatch.setitem(sys.modules, "keyring", module)
    assert logins.keep(HERE, "ada", 9.0, "secret-1") is False


def test_newest_is_meant_and_one_address_has_one(logins: Logins) -> None:
    for address, login in ((HERE, "ada"), ("https://other.example.com", "ada"), (HERE, "bob")):
        logins.keep(address, login, 9.0, "secret")
    newest = logins.newest()
    assert newest is not None
    assert (newest.address, newest.login) == (HERE, "bob")
    assert len(json.loads(logins.path.read_text())) == 2


@pytest.mark.parametrize(
    "content", ["", "{}", "[1, {}]", '[{"address": 1, "login": "x", "expires_at": 1}]', "[" * 9999]
)
def test_file_that_is_none_has_no_logins(logins: Logins, content: str) -> None:
    logins.keep(HERE, "ada", 9.0, "secret")
    logins.path.write_text(content)
    assert logins.newest() is None


def test_file_that_others_may_read_or_that_leads_elsewhere_is_none(logins: Logins, tmp_path: Path) -> None:
    logins.keep(HERE, "ada", 9.0, "secret")
    logins.path.chmod(0o640)
    assert logins.newest() is None
    logins.path.chmod(0o600)
    moved = logins.path.rename(tmp_path / "elsewhere")
    logins.path.symlink_to(moved)
    assert logins.newest() is None
