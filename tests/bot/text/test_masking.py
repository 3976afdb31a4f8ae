import pytest

from bot.text.masking import MASK, masked


@pytest.mark.parametrize(
    "name",
    ["DB_PASSWORD", "password", "githubToken", "api_key", "PRIVATE-KEY", "SECRET", "SENTRY_DSN", "PASS"],
)
def test_value_under_the_name_of_a_secret_is_masked_whole(name: str) -> None:
    assert masked("canary", name) == MASK


@pytest.mark.parametrize("name", ["REGION", "DRY_RUN", "COMPASS", "KEY", "MONKEY", ""])
def test_value_under_another_name_is_kept(name: str) -> None:
    assert masked("eu-west-1", name) == "eu-west-1"


@pytest.mark.parametrize(
    "secret",
    [
        "ghp_" + "a" * 36,
        "github_pat_" + "a" * 40,
        "xoxb-123456789012-abcdefghij",
        "AKIA" + "A" * 16,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl",
        "errand_" + "a" * 43,
    ],
)
def test_what_looks_like_a_secret_is_masked_within_a_text(secret: str) -> None:
    assert masked(f"release with {secret} today") == f"release with {MASK} today"


def test_password_of_a_url_and_a_whole_key_are_masked() -> None:
    assert masked("postgres://app:hunter2@db/shop") == f"postgres://{MASK}@db/shop"
    key = "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----"
    assert masked(f"see {key}") == f"see {MASK}"
