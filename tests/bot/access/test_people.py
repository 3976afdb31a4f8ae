"""One person under several names, and no two under one."""

import pytest

from bot.access.people import SENTENCES, Membership, identity, is_same, login_name, names_of


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("github:octocat", "slack:octocat", True),
        ("github:OctoCat", "slack:octocat", True),
        ("github:octocat", "github:octocat", True),
        ("slack:U012AB3CD", "slack:U012AB3CD", True),
        ("github:octocat", "slack:hubot", False),
        ("slack:U012AB3CD", "github:U012AB3CD", False),
        ("slack:U012AB3CD", "github:u012ab3cd", False),
        ("slack:u012ab3cd", "github:U012AB3CD", True),
        ("token:octocat", "github:octocat", False),
        ("terminal:octocat", "github:octocat", False),
        ("hook:deploy/octocat", "github:octocat", False),
        ("actions:acme/shop@refs/heads/main", "actions:ACME/shop@refs/heads/main", False),
        ("schedule", "schedule", True),
        ("github:", "slack:", False),
    ],
)
def test_same_person(one: str, other: str, same: bool) -> None:
    assert is_same(one, other) is same is is_same(other, one)


def test_login_that_looks_like_a_member_id_is_told_from_one() -> None:
    assert login_name("U012AB3CD") == "u012ab3cd"
    assert login_name("OctoCat") == "OctoCat"
    assert not is_same(f"slack:{login_name('U012AB3CD')}", "slack:U012AB3CD")


def test_names_of_a_person_are_all_doors_that_know_logins() -> None:
    assert names_of("slack:OctoCat") == ("github:octocat", "slack:octocat") == names_of("github:octocat")
    for actor in ("token:ci", "slack:U012AB3CD", "schedule", "terminal:kim"):
        assert names_of(actor) == (actor,)
        assert identity(actor) == actor


def test_every_standing_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Membership)
    assert all(text.endswith(".") for text in SENTENCES.values())
