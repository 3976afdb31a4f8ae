"""Words of others, as they go on."""

import pytest

from executor.words import plain


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("one\n\x1b[31mtwo", "one two"),
        ("one\ntwo\x1b[31m red\x00", "one two red"),
        (
            "Get https://errand:pass@registry.example.com/v2/: no",
            "Get https://***@registry.example.com/v2/: no",
        ),
        (
            '"https://cdn.example.com/blob?X-Signature=abc&y=1": 403',
            '"https://cdn.example.com/blob?***": 403',
        ),
        ("sent Authorization: Bearer abcdefgh12345 to it", "sent Authorization: Bearer *** to it"),
        ("basic auth is needed", "basic auth is needed"),
        ("x" * 900, "x" * 499 + "…"),
    ],
)
def test_foreign_words_are_bounded_and_without_credentials(said: str, shown: str) -> None:
    assert plain(said) == shown
