"""`app.yaml` is read completely, or every mistake is told with its place."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.catalog.catalog import Job
from bot.config import Config, load
from bot.errors import ConfigError
from executor.spec import Secret
from tests.changing import content, merged

ROOT = Path(__file__).parents[3]
KEY = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"
ENVIRON = {
    "GITHUB_APP_ID": "12345",
    "GITHUB_PRIVATE_KEY": KEY,
    "GITHUB_WEBHOOK_SECRET": "hook-secret",
    "GITHUB_CLIENT_ID": "Iv1.0123456789",
    "GITHUB_CLIENT_SECRET": "client-secret",
    "SLACK_SIGNING_SECRET": "signing-secret",
    "SLACK_BOT_TOKEN": "xoxb-token",
    "PASSWORD": "hunter22",
    "EMPTY": "",
}
GITHUB = 'github: {token: "${PASSWORD}"}\n'


def _load(file: Path, text: str, environ: Mapping[str, str] = ENVIRON) -> Config:
    file.write_text(text)
    return load(file, environ)


def test_sample_is_right_and_complete() -> None:
    config = load(ROOT / "app.yaml", ENVIRON)
    jobs = ["hello", "migrate", "report", "remove-unpaid", "smoke-test", "nightly-backfill"]
    assert list(config.jobs) == jobs
    assert config.github is not None
    assert config.github.clone_url == "https://github.com/{repository}.git"
    assert config.person("U012AB3CD") == "octocat"
    assert config.allows("ACME/shop")
    assert not config.allows("acme/other")
    assert {job.image for job in config.jobs.values()} == {"shop"}


def test_empty_file_gives_the_defaults(file: Path) -> None:
    config = _load(file, "")
    assert (config.url, config.command, config.jobs) == ("http://127.0.0.1:8000", "/job", {})
    assert config.database.reveal() == "sqlite:///errand.db"
    assert config.github is None
    assert not config.allows("acme/shop")
    assert config.person("U1") is None
    assert not config.forks


def test_missing_file_is_told(file: Path) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"{file}: cannot be read: No such file")):
        load(file, {})


def test_defaults_complete_each_job_name_by_name(file: Path) -> None:
    config = _load(
        file,
        """
slack: {bot_token: "${SLACK_BOT_TOKEN}"}
defaults: {timeout: 1h, env: {A: "1", B: "2"}, notify: {slack: "#ops"}, command: "true"}
jobs:
  a: {env: {B: "3"}, notify: {github: false}}
  b: {timeout: 30, command: [x]}
""",
    )
    assert config.jobs["a"].env == {"A": "1", "B": "3"}
    assert (config.jobs["a"].notify.slack, config.jobs["a"].notify.github) == ("#ops", False)
    assert (config.jobs["a"].timeout, config.jobs["b"].timeout) == (3600, 30)
    assert (config.jobs["a"].command, config.jobs["b"].command) == ("true", ("x",))


def test_line_of_a_job_is_that_of_its_name_as_the_file_was_read_last(file: Path) -> None:
    config = _load(file, "jobs:\n  one: {command: 'true'}\n\n  # the other\n  two:\n    command: 'true'\n")
    assert [config.line_of(name) for name in ("one", "two", "three")] == [2, 5, None]
    config.take_definitions(_load(file, "\njobs:\n  one: {command: 'true'}\n"))
    assert [config.line_of(name) for name in ("one", "two")] == [3, None]


def test_references_are_replaced_where_errand_reads_and_kept_where_a_shell_does(file: Path) -> None:
    config = _load(
        file,
        """
url: https://${HOST:-errand.example.com}
github: {token: "${PASSWORD}", clone_url: "${CLONE:-https://github.com/{repository}.git}"}
images: {shop: {build: {repository: "${REPOSITORY:-acme/shop}", setup: "echo ${PASSWORD} $$"}}}
jobs:
  a:
    description: costs $$5 ${PASSWORD}
    image: ${IMAGE:-shop}
    command: echo ${PASSWORD} $HOME $$
    setup: export A=${PASSWORD}
    env: {A: "${PASSWORD}"}
    parameters: {P: {pattern: 'a$$', description: "${PASSWORD}"}}
  b: {command: [echo, "${PASSWORD}"]}
""",
    )
    job, image = config.jobs["a"], config.images["shop"]
    assert config.url == "https://errand.example.com"
    assert config.github is not None
    assert config.github.clone_url == "https://github.com/{repository}.git"
    assert image.build is not None
    assert (image.build.repository, image.build.setup) == ("acme/shop", "echo ${PASSWORD} $$")
    assert (job.image, job.description) == ("shop", "costs $$5 ${PASSWORD}")
    assert (job.command, job.setup) == ("echo ${PASSWORD} $HOME $$", "export A=${PASSWORD}")
    assert (job.env, job.parameters["P"].pattern) == ({"A": "${PASSWORD}"}, "a$$")
    assert config.jobs["b"].command == ("echo", "${PASSWORD}")


def test_variables_of_a_job_are_resolved_late_and_those_from_the_environment_are_secret(file: Path) -> None:
    config = _load(
        file,
        """
jobs:
  a:
    command: x
    env:
      URL: postgres://shop:${PASSWORD}@db/shop
      PLAIN: plain
      COST: $$5 $x
      DEFAULT: ${NOPE:-fallback}
      SESSION: masked
      NOTHING: ${EMPTY}
    mask: [SESSION]
""",
    )
    variables, secrets = config.environment(config.jobs["a"])
    assert variables == {
        "URL": "postgres://shop:hunter22@db/shop",
        "PLAIN": "plain",
        "COST": "$5 $x",
        "DEFAULT": "fallback",
        "SESSION": "masked",
        "NOTHING": "",
    }
    assert secrets == (Secret("hunter22"), Secret("postgres://shop:hunter22@db/shop"), Secret("masked"))


def test_job_that_was_stored_is_resolved_with_todays_environment(file: Path) -> None:
    config = _load(file, "")
    stored = Job.model_validate({"name": "old", "command": "x", "env": {"A": "${PASSWORD}"}})
    assert config.environment(stored) == ({"A": "hunter22"}, (Secret("hunter22"),))
    gone = Job.model_validate({"name": "old", "command": "x", "env": {"A": "${GONE}"}})
    with pytest.raises(ConfigError, match=r"jobs.old.env.A: the environment variable GONE is not set"):
        config.environment(gone)


def test_nothing_secret_shows_in_the_configuration(file: Path) -> None:
    text = (ROOT / "app.yaml").read_text()
    jobs = content(text)["jobs"] | {"extra": {"command": "x", "env": {"A": "${PASSWORD}"}}}
    config = _load(file, merged(text, database="postgresql://u:hunter22@h/errand", jobs=jobs))
    shown = f"{config!r} {config} {config.summary()} {config.model_dump()}"
    for value in ("hunter22", "hook-secret", "signing-secret", "xoxb-token", "MIIE"):
        assert value not in shown
    assert ("database", "postgresql://h/errand") in config.summary()


def test_private_key_may_come_in_one_line(file: Path) -> None:
    text = 'github: {app_id: 1, private_key: "${GITHUB_PRIVATE_KEY}"}'
    config = _load(file, text, {"GITHUB_PRIVATE_KEY": KEY.replace("\n", "\\n")})
    assert config.github is not None
    assert config.github.private_key == Secret(KEY)
    assert config.github.app_id == "1"


def test_several_webhook_secrets_may_be_given(file: Path) -> None:
    config = _load(file, 'github: {token: "${PASSWORD}", webhook_secret: [old, "${GITHUB_WEBHOOK_SECRET}"]}')
    assert config.github is not None
    assert config.github.webhook_secret == (Secret("old"), Secret("hook-secret"))


def test_slack_takes_several_signing_secrets_or_none_with_socket_mode(file: Path) -> None:
    several = _load(file, "slack: {bot_token: xoxb-x, signing_secret: [new, old]}").slack
    assert several is not None
    assert several.signing_secret == (Secret("new"), Secret("old"))
    config = _load(file, "slack: {bot_token: xoxb-x, app_token: xapp-x}")
    assert dict(config.summary())["slack"] == "0 people, over Socket Mode"


def test_summary_says_by_which_addresses_people_are_known(file: Path) -> None:
    github = 'github: {token: "${PASSWORD}", repositories: [acme/*]}\n'
    slack = "slack: {bot_token: xoxb-x, signing_secret: s, email_domains: [a.org, b.org]}"
    said = dict(_load(file, github + slack).summary())["slack"]
    assert said == "0 people and members with addresses of a.org, b.org"


def test_member_is_found_by_login_whatever_its_case(file: Path) -> None:
    people = "{U0ONE: OctoCat, U0TWO: octocat, U0KIM: kim}"
    config = _load(file, f"slack: {{bot_token: xoxb-x, signing_secret: s, people: {people}}}")
    assert [config.member(login) for login in ("octocat", "KIM", "nobody")] == ["U0ONE", "U0KIM", None]
    assert config.person("U0TWO") == "octocat"


def test_summary_tells_which_doors_are_closed(file: Path) -> None:
    summary = dict(_load(file, GITHUB + "slack: {bot_token: xoxb-x}").summary())
    assert "no webhook_secret: door closed" in summary["github"]
    assert "no signing_secret: door closed" in summary["slack"]


def test_app_may_ask_for_deliveries_and_a_token_not(file: Path) -> None:
    app = 'github: {app_id: 1, private_key: "${GITHUB_PRIVATE_KEY}", poll: %s}'
    config = _load(file, app % "10s", {"GITHUB_PRIVATE_KEY": KEY})
    assert "asks every 10s" in dict(config.summary())["github"]
    with pytest.raises(ConfigError, match="only an App is told what GitHub sent"):
        _load(file, "github: {token: x, poll: 10s}")
    with pytest.raises(ConfigError, match=r"github\.poll"):
        _load(file, app % "0s", {"GITHUB_PRIVATE_KEY": KEY})


def test_repositories_may_be_given_by_owner(file: Path) -> None:
    config = _load(file, "github: {token: x, repositories: [acme/*], forks: true}")
    assert config.allows("Acme/anything")
    assert not config.allows("other/shop")
    assert config.forks


def test_very_short_values_are_masked_only_where_mask_names_them(file: Path) -> None:
    config = _load(
        file, "jobs: {a: {command: x, env: {N: '${N}', M: '${M}'}, mask: [M]}}", {"N": "4", "M": "5"}
    )
    assert config.environment(config.jobs["a"])[1] == (Secret("5"),)
