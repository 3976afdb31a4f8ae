"""The file by which the command line finds the Errand of its directory."""

import json
import os
import stat
from contextlib import ExitStack
from pathlib import Path

import pytest

from terminal.discovery import Door, doors, standing
from terminal.failures import Failure, Usage
from terminal.remote import where

DOOR = Door("http://127.0.0.1:8123", "https://errand.example.com", "errand_" + "x" * 43)


def test_file_is_this_users_alone_and_gone_at_the_end(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with standing(f"sqlite:///{tmp_path}/errand.db", DOOR):
            assert stat.S_IMODE((tmp_path / "errand.db.door").stat().st_mode) == 0o600
            assert doors(tmp_path) == [DOOR]
    finally:
        os.umask(before)
    assert list(tmp_path.iterdir()) == []


def test_door_of_who_came_later_stays(tmp_path: Path) -> None:
    later = Door("http://127.0.0.1:8124", DOOR.url, DOOR.token)
    database = f"sqlite:///{tmp_path}/errand.db"
    with ExitStack() as stack:
        with standing(database, DOOR):
            stack.enter_context(standing(database, later))
        assert doors(tmp_path) == [later]
    assert doors(tmp_path) == []


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606, 0o620])
def test_file_that_others_may_read_or_write_is_no_door(tmp_path: Path, mode: int) -> None:
    with standing(f"sqlite:///{tmp_path}/errand.db", DOOR):
        (tmp_path / "errand.db.door").chmod(mode)
        assert doors(tmp_path) == []


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"address": 1, "url": "", "token": ""}', "x" * 10_000, "[" * 4096]
)
def test_file_with_something_else_is_no_door(tmp_path: Path, text: str) -> None:
    path = tmp_path / "errand.db.door"
    path.touch(0o600)
    path.write_text(text)
    assert doors(tmp_path) == []


def test_link_and_fifo_are_no_doors(tmp_path: Path) -> None:
    with standing(f"sqlite:///{tmp_path}/errand.db", DOOR):
        (tmp_path / "other.door").symlink_to(tmp_path / "errand.db.door")
        os.mkfifo(tmp_path / "pipe.door", 0o600)
        assert doors(tmp_path) == [DOOR]


def test_database_that_is_no_file_has_no_door(tmp_path: Path) -> None:
    with standing("postgresql://errand@db/errand", DOOR):
        assert list(tmp_path.iterdir()) == []


def test_token_of_the_environment_comes_first(tmp_path: Path) -> None:
    with standing(f"sqlite:///{tmp_path}/errand.db", DOOR):
        found = where({"ERRAND_TOKEN": " errand_y ", "ERRAND_URL": "https://other.example.com/"}, tmp_path)
    assert (found.address, found.token, found.local) == ("https://other.example.com", "errand_y", False)


@pytest.mark.parametrize("url", ["", DOOR.url, f"{DOOR.url}/", DOOR.address, f"{DOOR.url}/runs/142"])
def test_local_errand_is_found_by_no_address_or_its_own(tmp_path: Path, url: str) -> None:
    with standing(f"sqlite:///{tmp_path}/errand.db", DOOR):
        found = where({"ERRAND_URL": url}, tmp_path)
    assert (found.address, found.token, found.local) == (DOOR.address, DOOR.token, True)


def test_token_of_this_machine_is_never_sent_elsewhere(tmp_path: Path) -> None:
    with (
        standing(f"sqlite:///{tmp_path}/errand.db", DOOR),
        pytest.raises(Failure, match="ERRAND_TOKEN is not set"),
    ):
        where({"ERRAND_URL": "https://other.example.com"}, tmp_path)


def test_several_errands_in_a_directory_are_told_apart(tmp_path: Path) -> None:
    other = Door("http://127.0.0.1:8124", "https://two.example.com", "errand_" + "z" * 43)
    with (
        standing(f"sqlite:///{tmp_path}/one.db", DOOR),
        standing(f"sqlite:///{tmp_path}/two.db", other),
    ):
        with pytest.raises(Failure, match="More than one Errand"):
            where({}, tmp_path)
        assert where({"ERRAND_URL": other.url}, tmp_path).token == other.token


@pytest.mark.parametrize(
    "url",
    [
        "errand.example.com",
        "ftp://x",
        "http://",
        "http://x:99999",
        "http://a b",
        "https://x/errand",
        "https://x?a=1",
        "https://x#a",
    ],
)
def test_address_that_is_none_is_a_mistake(tmp_path: Path, url: str) -> None:
    with pytest.raises(Usage, match="ERRAND_URL: expected"):
        where({"ERRAND_URL": url, "ERRAND_TOKEN": "errand_y"}, tmp_path)


def test_password_in_an_address_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="ERRAND_URL: expected") as told:
        where({"ERRAND_URL": "https://me:s3cret@x", "ERRAND_TOKEN": "errand_y"}, tmp_path)
    assert "s3cret" not in str(told.value)


@pytest.mark.parametrize("token", ["a b", "a\nb", "é"])
def test_token_that_is_none_is_a_mistake_and_not_repeated(tmp_path: Path, token: str) -> None:
    with pytest.raises(Usage, match="ERRAND_TOKEN: expected") as told:
        where({"ERRAND_TOKEN": token}, tmp_path)
    assert token not in str(told.value)


def test_file_says_where_and_nothing_more(tmp_path: Path) -> None:
    with standing(f"sqlite:///{tmp_path}/errand.db", DOOR):
        told = json.loads((tmp_path / "errand.db.door").read_text())
    assert sorted(told) == ["address", "token", "url"]
