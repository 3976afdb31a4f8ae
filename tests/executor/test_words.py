"""Words of others, as they go on."""

import pytest

from executor.words import hidden, plain


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


def test_variables_that_look_like_secrets_are_hidden() -> None:
    environment = {
        "API_TOKEN": "abcdefgh",
        "db_password": "hunter22",
        "AWS_SECRET_ACCESS_KEY": "abcdefgh",
        "DATABASE_URL": "postgres://user:word@host/x",
        "MODE": "production",
        "HOMEPAGE": "https://host/path",
        "USE_AUTH": "true",
    }
    assert hidden(environment) == ["API_TOKEN", "db_password", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL"]
