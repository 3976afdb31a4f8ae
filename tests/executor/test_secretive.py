"""Variables that look like secrets."""

from executor.secretive import hidden


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
