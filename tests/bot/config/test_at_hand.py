"""What a file says of an app at GitHub or Slack that is not there yet."""

from pathlib import Path

import pytest

from bot.config.at_hand import Service, append, at_hand, configured, section
from bot.errors import ConfigError


def test_file_is_read_before_there_is_an_app(tmp_path: Path) -> None:
    path = tmp_path / "app.yaml"
    assert not at_hand(path, {}, Service.GITHUB).is_named
    path.write_text(
        'github: {app_id: "${A}", private_key: "${K:-}", webhook_secret: literal-secret-of-mine}\n'
    )
    app = at_hand(path, {}, Service.GITHUB)
    assert (app.is_named, dict(app.variables)) == (True, {"app_id": "A", "private_key": "K"})
    assert configured(path, {"A": "7"}, app.variables) == ["A"]
    path.write_text("github: {app_id: '${A}', private_key: '${K}', nonsense: 1}\n")
    with pytest.raises(ConfigError, match="nonsense"):
        at_hand(path, {}, Service.GITHUB)


def test_credential_that_no_variable_stands_for_could_not_be_kept(tmp_path: Path) -> None:
    path = tmp_path / "app.yaml"
    keys = 'app_id: "${A}", private_key: "${K}", webhook_secret: a-secret-in-the-file-itself'
    path.write_text(f"github: {{{keys}}}\n")
    assert at_hand(path, {}, Service.GITHUB).unkept() == ["webhook_secret"]
    assert at_hand(tmp_path / "none.yaml", {}, Service.GITHUB).unkept() == []


KEYS = 'app_id: "${A}", private_key: "${K}", webhook_secret: "${W}"'


def test_section_may_do_without_logins_and_what_they_take_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "app.yaml"
    path.write_text(f"github: {{{KEYS}}}\n")
    app = at_hand(path, {}, Service.GITHUB)
    assert app.unkept() == []
    assert app.login_lines == ("  client_id: ${GITHUB_CLIENT_ID}\n  client_secret: ${GITHUB_CLIENT_SECRET}")
    assert (app.kept["app_id"], app.kept["client_secret"]) == ("A", "GITHUB_CLIENT_SECRET")
    path.write_text(f"github: {{{KEYS}, client_id: '${{I}}', client_secret: '${{S}}'}}\n")
    app = at_hand(path, {}, Service.GITHUB)
    assert (app.unkept(), app.login_lines) == ([], None)
    assert (app.kept["client_id"], app.kept["client_secret"]) == ("I", "S")


def test_client_of_another_app_in_the_file_itself_could_not_be_kept(tmp_path: Path) -> None:
    path = tmp_path / "app.yaml"
    path.write_text(f"github: {{{KEYS}, client_id: Iv1.0123456789, client_secret: '${{S}}'}}\n")
    assert at_hand(path, {}, Service.GITHUB).unkept() == ["client_id"]


def test_file_without_the_section_gets_logins_with_it(tmp_path: Path) -> None:
    app = at_hand(tmp_path / "none.yaml", {}, Service.GITHUB)
    assert app.login_lines is None
    assert "client_id: ${GITHUB_CLIENT_ID}" in section(Service.GITHUB, app.fields)


def test_secrets_of_jobs_and_of_the_other_service_need_not_be_there(tmp_path: Path) -> None:
    path = tmp_path / "app.yaml"
    path.write_text(
        "database: ${DATABASE}\n"
        "github: {app_id: '${A}', private_key: '${K}', webhook_secret: ['${NEW}', '${OLD}']}\n"
        "slack: {bot_token: '${B}', app_token: '${X}', signing_secret: ['${S}', '${T:-old}']}\n"
        "jobs: {a: {command: x, env: {PASSWORD: '${PASSWORD}'}}}\n"
    )
    assert at_hand(path, {}, Service.GITHUB).variables["webhook_secret"] == "NEW"
    assert at_hand(path, {}, Service.SLACK).variables == {
        "bot_token": "B",
        "app_token": "X",
        "signing_secret": "S",
    }
    path.write_text("url: ${ERRAND_URL}\nslack: {bot_token: '${B}'}\n")
    with pytest.raises(ConfigError, match="ERRAND_URL is not set"):
        at_hand(path, {}, Service.SLACK)


def test_section_is_added_to_the_file_that_a_link_leads_to(tmp_path: Path) -> None:
    real, link = tmp_path / "real" / "app.yaml", tmp_path / "app.yaml"
    real.parent.mkdir()
    real.write_text("url: ${ADDRESS}")
    link.symlink_to(real)
    (tmp_path / ".env").write_text("ADDRESS=https://errand.example.com\n")
    assert append(link, section(Service.SLACK, ["bot_token"]), {}, Service.SLACK)
    assert link.is_symlink()
    assert real.read_text() == "url: ${ADDRESS}\nslack:\n  bot_token: ${SLACK_BOT_TOKEN}\n"
    assert at_hand(link, {}, Service.SLACK).variables == {"bot_token": "SLACK_BOT_TOKEN"}
    assert [each.name for each in real.parent.iterdir()] == ["app.yaml"]


@pytest.mark.parametrize("text", ["slack:\n", "{}\n", "url: [\n", "- a\n", "url: x\n..."])
def test_section_is_not_added_where_the_file_would_be_wrong(tmp_path: Path, text: str) -> None:
    path = tmp_path / "app.yaml"
    path.write_text(text)
    assert not append(path, section(Service.SLACK), {}, Service.SLACK)
    assert path.read_text() == text
    assert [*tmp_path.iterdir()] == [path]
