"""The address of the API says where the other parts of a GitHub are."""

import pytest

from bot.config.settings import GitHub
from executor.spec import Secret


@pytest.mark.parametrize(
    ("api_url", "fetch_url", "issuer"),
    [
        (
            "https://api.github.com",
            "https://github.com/{repository}.git",
            "https://token.actions.githubusercontent.com",
        ),
        (
            "https://git.acme.com/api/v3",
            "https://git.acme.com/{repository}.git",
            "https://git.acme.com/_services/token",
        ),
        (
            "https://api.acme.ghe.com",
            "https://acme.ghe.com/{repository}.git",
            "https://token.actions.acme.ghe.com",
        ),
    ],
)
def test_git_and_issuer_are_those_of_the_api_unless_the_file_says_otherwise(
    api_url: str, fetch_url: str, issuer: str
) -> None:
    section = GitHub(token=Secret("x"), api_url=api_url)
    assert (section.fetch_url, section.issuer) == (fetch_url, issuer)
    own = GitHub(
        token=Secret("x"), api_url=api_url, clone_url="file:///x/{repository}", actions_issuer="https://a.b"
    )
    assert (own.fetch_url, own.issuer) == ("file:///x/{repository}", "https://a.b")
