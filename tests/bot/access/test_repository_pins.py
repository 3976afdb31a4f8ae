"""Which repository something is of, given what is pinned."""

import pytest

from bot.access.repository_pins import Identity, PinVerdict, decide
from bot.tables import RepositoryPin


class Written:
    """A configuration that has `exact` names, and allows all of one owner."""

    def __init__(self, *exact: str, owner: str = "-") -> None:
        self._exact = exact
        self._owner = owner

    def names(self, name: str) -> bool:
        return name in self._exact

    def allows(self, name: str) -> bool:
        return name in self._exact or name.startswith(f"{self._owner}/")


def pin(name: str, number: int, current: str | None = None) -> RepositoryPin:
    return RepositoryPin(
        name=name, number=number, current=name if current is None else current, pinned_at=0.0
    )


SHOP = Written("acme/shop")
EVERY = Written(owner="acme")


@pytest.mark.parametrize(
    ("seen", "pins", "written", "name", "new"),
    [
        (Identity("Acme/Shop", 1), [], SHOP, "Acme/Shop", ("acme/shop",)),
        (Identity("acme/other", 1), [], SHOP, "acme/other", ()),
        (Identity("acme/store", 1), [pin("acme/shop", 1)], SHOP, "acme/shop", ()),
        (Identity("acme/store", 1), [pin("acme/shop", 1)], EVERY, "acme/store", ("acme/store",)),
        (
            Identity("acme/store", 1),
            [pin("acme/shop", 1)],
            Written("acme/store"),
            "acme/store",
            ("acme/store",),
        ),
        # What is written counts before what a pattern lets in: a job is built from it.
        (
            Identity("acme/store", 1),
            [pin("acme/shop", 1)],
            Written("acme/shop", owner="acme"),
            "acme/shop",
            (),
        ),
        # The new name was another one's, which is pinned to it for ever.
        (Identity("acme/store", 1), [pin("acme/shop", 1), pin("acme/store", 2)], EVERY, "acme/shop", ()),
        (Identity("acme/shop", 1), [pin("acme/shop", 1), pin("acme/store", 1)], SHOP, "acme/shop", ()),
        (Identity("acme/x", 1), [pin("acme/shop", 1)], Written("acme/web"), "acme/x", ()),
        # The number of an account says nothing about a repository of the same number.
        (Identity("acme/shop", 1), [pin("acme", 1)], SHOP, "acme/shop", ("acme/shop",)),
    ],
)
def test_number_decides_which_name_counts(
    seen: Identity, pins: list[RepositoryPin], written: Written, name: str, new: tuple[str, ...]
) -> None:
    verdict = decide(seen, pins, written)
    assert (verdict.name, verdict.pins, verdict.rivals) == (name, new, ())


@pytest.mark.parametrize(
    ("seen", "pins", "rivals"),
    [
        (Identity("acme/shop", 2), [pin("acme/shop", 1)], ["acme/shop"]),
        (Identity("acme/new", 2, 9), [pin("acme", 8)], ["acme"]),
        (Identity("acme/shop", 2, 9), [pin("acme", 8), pin("acme/shop", 1)], ["acme/shop", "acme"]),
    ],
)
def test_name_that_was_another_ones_has_no_rights(
    seen: Identity, pins: list[RepositoryPin], rivals: list[str]
) -> None:
    verdict = decide(seen, pins, EVERY)
    assert [each.name for each in verdict.rivals] == rivals
    assert not verdict.changes


def test_pattern_lets_nothing_in_that_left_its_account() -> None:
    """Whoever may transfer a repository would give its rights away; a name that is written goes with it."""
    pins = [pin("acme", 8), pin("acme/shop", 1)]
    gone = Identity("mallory/shop", 1, 66)
    assert decide(gone, pins, EVERY).name == "mallory/shop"
    assert decide(gone, pins, SHOP).name == "acme/shop"
    asked = Identity("acme/shop", 1, current="mallory/shop")
    assert decide(asked, pins, EVERY).name == "mallory/shop"


def test_account_that_was_renamed_is_followed_by_its_number() -> None:
    pins = [pin("acme", 8), pin("acme/shop", 1)]
    assert decide(Identity("umbrella/shop", 1, 8), pins, EVERY).name == "acme/shop"


def test_repository_that_moved_to_another_account_is_not_asked_whose_that_is() -> None:
    pins = [pin("acme", 8), pin("acme/shop", 1), pin("umbrella", 5)]
    assert decide(Identity("umbrella/shop", 1, 6), pins, SHOP).rivals == ()


def test_what_is_as_it_was_changes_nothing() -> None:
    assert decide(Identity("acme/shop", 1), [pin("acme/shop", 1)], SHOP) == PinVerdict("acme/shop")
    (stale,) = decide(Identity("acme/store", 1), [pin("acme/shop", 1)], SHOP).stale
    assert stale.name == "acme/shop"
