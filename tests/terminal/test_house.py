"""What a chat takes of app.yaml."""

from pathlib import Path

from terminal.house import config_at


def test_chat_needs_no_secret_and_leaves_what_repositories_bring(tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    file.write_text(
        "github: {token: '${NEVER_SET}', repositories: [acme/shop]}\n"
        "repository_jobs: {acme/shop: {unconfined: true}}\n"
        "jobs: {hello: {command: echo hello}}\n"
    )
    config = config_at(file, {}, tmp_path)
    assert list(config.jobs) == ["hello"]
    assert config.repository_jobs == {}
