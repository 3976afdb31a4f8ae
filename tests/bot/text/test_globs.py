"""Names with stars in them."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.text.globs import matches


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("main", "main"),
        ("release/*", "release/1.2"),
        ("release/**", "release/1/2"),
        ("*", "main"),
        ("**", "a/b/c"),
        ("a*c", "ac"),
        ("*a*b*", "xaybz"),
        ("acme/*", "acme/shop"),
        ("", ""),
    ],
)
def test_pattern_fits(pattern: str, text: str) -> None:
    assert matches(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("main", "main2"),
        ("main", "Main"),
        ("*", "release/1"),
        ("release/*", "release/1/2"),
        ("release/*", "release"),
        ("a?c", "abc"),
        ("[ab]", "a"),
        ("", "a"),
        ("a", ""),
        ("*a", "ab"),
    ],
)
def test_pattern_does_not_fit(pattern: str, text: str) -> None:
    assert not matches(pattern, text)


@settings(deadline=None)
@given(st.text("ab/", max_size=20))
def test_two_stars_fit_anything_and_a_name_fits_itself(text: str) -> None:
    assert matches("**", text)
    assert matches(text, text)
    assert matches("*", text) == ("/" not in text)


def test_many_stars_are_no_slower_than_their_number() -> None:
    start = time.process_time()
    assert not matches("*a" * 100, "a" * 255 + "b")
    assert time.process_time() - start < 2.0
