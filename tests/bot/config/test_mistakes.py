"""Every mistake in `app.yaml` is told, with its place and what was expected."""

import re
from pathlib import Path

import pytest

from bot.config import load
from bot.errors import ConfigError
from tests.bot.config.files import Files, one

KEY = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"
ENVIRON = {"PASSWORD": "hunter22", "EMPTY": ""}
_mistakes = Files(ENVIRON).mistakes
GITHUB = 'github: {token: "${PASSWORD}"}\n'


def test_every_mistake_is_told_with_line_and_column(file: Path) -> None:
    text = """\
url: https://errand.example.com/path
comand: /job
logs: {keep: soon}
jobs:
  migrate:
    command: "true"
    timeout: soon
    notify: {slack: ops}
"""
    assert _mistakes(file, text) == [
        "1:6: url: expected an address without a path: Errand answers at the root of its host,"
        ' not "https://errand.example.com/path"',
        "2:1: comand: unknown key; did you mean command?",
        '3:14: logs.keep: expected a duration such as 30s, 15m, 1h30m or 2d, not "soon"',
        '7:14: jobs.migrate.timeout: expected a duration such as 30s, 15m, 1h30m or 2d, not "soon"',
        '8:21: jobs.migrate.notify.slack: expected a Slack channel such as "#ops" (in quotes) or C012AB3CD,'
        ' not "ops"',
        "8:21: jobs.migrate.notify.slack: posting to Slack needs slack.bot_token",
    ]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        one("jobs: {a: {command: x, naem: y}}", "1:24: jobs.a.naem: unknown key"),
        one("jobs: {a: {command: x, name: y}}", "1:24: jobs.a.name: unknown key: the name stands above"),
        one("jobs: {a: {}}", "1:8: jobs.a: command is required"),
        one(
            "jobs: {a: {command: x, on: [push]}}",
            "1:28: jobs.a.on: a push rebuilds an image first: the job needs one",
        ),
        one(
            "jobs: {a: {command: x, on: [push], parameters: {B: {required: true}}}}",
            "1:28: jobs.a.on: a push gives no parameters, and B is required",
        ),
        one(
            "jobs: {a: {command: x, schedule: {cron: '@daily'}, parameters: {B: {required: true}}}}",
            "1:34: jobs.a.schedule: a schedule gives no parameters, and B is required; give it a default",
        ),
        one("jobs: {a: {command: x, retries: 99}}", "1:33: jobs.a.retries: expected at most 10, not 99"),
        one("jobs: {a: {command: x, retries: {}}}", "1:24: jobs.a.retries: attempts is required"),
        one(
            "jobs: {a: {command: x, retries: {attempts: 2, on: [errr]}}}",
            "1:52: jobs.a.retries.on[1]: expected failed, timed_out, error, exit: [75] or"
            ' reason: [OOMKilled]; did you mean error?, not "errr"',
        ),
        one(
            "defaults: {retries: {attempts: 2, never: [exit: [2, 999]]}}",
            "1:53: defaults.retries.never[1].exit[2]: expected at most 255, not 999",
        ),
        one("jobs: {a: {command: x, keep: 0}}", "1:30: jobs.a.keep: expected at least 1, not 0"),
        one(
            "jobs: {a: {command: x, schedule: {crn: '@daily'}}}",
            "jobs.a.schedule.crn: unknown key; did you mean cron?",
        ),
        one(
            f"jobs: {{a: {{command: x, parameters: {{N: {{choices: [{'x' * 4097}]}}}}}}}}",
            "jobs.a.parameters.N.choices: expected at most 4096 bytes",
        ),
        one(
            "jobs: {a: {command: x, schedule: {cron: '* * * * * *'}}}",
            "1:41: jobs.a.schedule.cron: a schedule is five fields (minute, hour, day of month, month, day "
            "of week) or a name such as @daily; this is 6; seconds and years are not among them",
        ),
        one(
            "jobs: {a: {command: x, schedule: {cron: '@daily', timezone: CEST}}}",
            "1:61: jobs.a.schedule.timezone: `CEST` is no IANA time zone; expected one such as Europe",
        ),
        one(
            "jobs: {a: {command: x, allow: ['actions:acme/shop@main']}}",
            "1:32: jobs.a.allow[1]: expected a whole ref after @, such as refs/heads/main, refs/tags/v* or"
            ' refs/heads/**, not "actions:acme/shop@main"',
        ),
        one(
            "jobs: {a: {command: x, allow: ['actions:*/shop@refs/heads/main']}}",
            "1:32: jobs.a.allow[1]: expected the name of an owner without *",
        ),
        one("jobs: {a: {command: x, allow: [1]}}", "1:32: jobs.a.allow[1]: expected github:LOGIN"),
        one("jobs: {a: {command: x, allow: all}}", '1:31: jobs.a.allow: expected a list, not "all"'),
        one("jobs: {a: {command: x, on: [pull]}}", "1:29: jobs.a.on[1]: no event that starts jobs"),
        one(
            "images: {a: {build: {repository: a/b, paths: []}}}",
            "1:46: images.a.build.paths: expected at least",
        ),
        one(
            'images: {a: {build: {repository: a/b, tags: ["a\\n"]}}}',
            "images.a.build.tags[1]: expected a pattern",
        ),
        one("jobs: {A: {command: x}}", "1:8: jobs.A: expected a name of small letters"),
        one("jobs: {a: 1}", "1:11: jobs.a: expected keys and values, not 1"),
        one("jobs: [a]", "1:7: jobs: expected names and values, not a list"),
        one("- a", "1:1: expected keys such as url: and jobs:"),
        one(
            "jobs: {a: {command: x, timeout: 0}}",
            "1:33: jobs.a.timeout: expected a duration from 1s to 7d, not 0",
        ),
        one(
            "jobs: {a: {command: x, lock: Prod}}",
            "1:30: jobs.a.lock: expected the name of a lock, of small letters, digits and - (at most 63),"
            ' not "Prod"',
        ),
        one(
            "jobs: {a: {command: x, lock: [a, B]}}",
            "1:30: jobs.a.lock: expected the name of a lock, of small letters, digits and - (at most 63),"
            " not a list",
        ),
        one("jobs: {a: {command: x, lock: [a, a]}}", "1:30: jobs.a.lock: a is named twice"),
        one(
            "jobs: {a: {command: x, lock: []}}",
            "1:30: jobs.a.lock: expected one lock, or a list of at most 10",
        ),
        one(
            "jobs: {a: {command: x, concurrency: {limt: 2}}}",
            "1:38: jobs.a.concurrency.limt: unknown key; did you mean limit?",
        ),
        one(
            "jobs: {a: {command: x, concurrency: {limit: 0}}}",
            "1:45: jobs.a.concurrency.limit: expected at least 1, not 0",
        ),
        one(
            "jobs: {a: {command: x, parameters: {REGION: {}}, concurrency: {key: REGOIN}}}",
            "key names `REGOIN`, which is no parameter of the job. Did you mean `REGION`?",
        ),
        one("jobs: {a: {command: x, signal_children: 3}}", "expected true or false, not 3"),
        one(
            "jobs: {a: {command: x, env: {PATH: y}}}", "1:30: jobs.a.env.PATH: PATH would change how programs"
        ),
        one("jobs: {a: {command: x, env: {A: 1.10}}}", 'put it in quotes, such as "true" or "1.10", not 1.1'),
        one(
            "jobs: {a: {command: x, env: {A: {secret: b, key: c}}}}",
            "the environment variable B_C is not set",
        ),
        one("jobs: {a: {command: x, parameters: {LD_PRELOAD: {}}}}", "LD_PRELOAD would change how programs"),
        one(
            "jobs: {a: {command: x, parameters: {N: {type: integer, minimum: 5, default: 1}}}}",
            "1:77: jobs.a.parameters.N.default: expected an integer from 5, not 1",
        ),
        one("jobs: {a: {command: x, parameters: {P: {pattern: '('}}}}", "expected a regular expression"),
        one("jobs: {a: {command: x, parameters: {P: {default: '${A}'}}}}", "is not replaced in parameters"),
        one("jobs: {a: {command: x, parameters: {P: {}}, env: {P: y}}}", "P is also a variable in env"),
        one("jobs: {a: {command: x, parameters: {CI: {}}}}", "every run has CI=true from Errand itself"),
        one("jobs: {a: {command: x, env: {CI: no}}}", "every run has CI=true from Errand itself"),
        one("jobs: {a: {command: x, parameters: {ERRAND_RUN: {}}}}", "ERRAND_RUN would change how programs"),
        one("jobs: {a: {command: x, env: {TOKEN: y}, mask: [TOKN]}}", "did you mean TOKEN?"),
        one("jobs: {a: {command: x, env: {A: '${NOPE}'}}}", "the environment variable NOPE is not set"),
        one("jobs: {a: {command: x, env: {A: '${PASSWORD'}}}", "expected a } that ends ${"),
        one("jobs: {a: {command: x, env: {A: '${1}'}}}", "expected ${NAME} or ${NAME:-default}"),
        one(
            "jobs: {a: {command: x, image: shp}}\nimages: {shop: {build: {repository: a/b}}}\n" + GITHUB,
            "1:31: jobs.a.image: there is no image shp; did you mean shop?",
        ),
        one("images: {shop: {build: {repository: a/b}}}", "1:1: images: images are built from GitHub"),
        one("images: {shop: {}}\n" + GITHUB, "1:16: images.shop: build, reference or workload is required"),
        one(
            "images: {shop: {build: {repository: a/b, branches: main}}}\n" + GITHUB,
            'expected a list, not "main"',
        ),
        one("defaults: 3", "1:11: defaults: expected keys of a job"),
        one("defaults: {timeout: soon}", "1:21: defaults.timeout: expected a duration"),
        one("defaults: {name: x}", "1:12: defaults.name: unknown key"),
        one("command: a b", "1:10: command: expected one word such as /job"),
        one("url: ftp://x", "1:6: url: expected an address such as https://errand.example.com"),
        one("url: http://user@x", "url: expected an address"),
        one("url: 'http://x/?a'", "url: expected an address"),
        one("url: 'http://x:99999'", "url: expected an address"),
        one("database: mysql://x/y", "1:11: database: a database is sqlite:///FILE or postgresql://"),
        one("database: 'sqlite:///:memory:'", "a database is sqlite:///FILE"),
        one("database: postgresql://x", "a database is sqlite:///FILE"),
        one("limits: {runs: 0}", "1:16: limits.runs: expected a whole number from 1 to 10000, not 0"),
        one("limits: {runs: true}", "expected a whole number, not true"),
        one("limits: {runs: 1.5}", "expected a whole number, not 1.5"),
        one("limits: {body: 26Mi}", "expected a size from 1Ki to 25Mi"),
        one("logs: {max_size: 64Qi}", "expected a size such as 512k, 64Mi or 1Gi"),
        one("logs: {directory: ''}", "expected a directory"),
        one("github: {}", "1:9: github: app_id and private_key, or a token, are needed"),
        one("github: {app_id: 1}", "app_id and private_key are needed together"),
        one(
            f"github: {{app_id: 1, token: x, private_key: {KEY!r}}}",
            "either app_id and private_key, or token",
        ),
        one("github: {app_id: 1, private_key: x}", "a private key in PEM form is needed here"),
        one("github: {token: ''}", "1:17: github.token: this secret is empty"),
        one("github: {token: '${EMPTY}'}", "this secret is empty"),
        one(
            "github: {token: x, webhook_secret: [a, '']}",
            "1:40: github.webhook_secret[2]: this secret is empty",
        ),
        one(
            "github: {token: x, clone_url: 'https://u:p@h/{repository}'}",
            "expected an address such as https://g",
        ),
        one(
            "github: {token: x, clone_url: 'ext::sh -c {repository}'}",
            "expected an address such as https://g",
        ),
        one("github: {token: x, clone_url: 'https://h/'}", "expected an address such as https://g"),
        one("github: {token: x, repositories: [acme]}", "expected a repository such as acme/shop, or acme/*"),
        one(
            "slack: {people: {bob: octocat}}", 'expected the id of a Slack user, such as U012AB3CD, not "bob"'
        ),
        one(
            "slack: {bot_token: xapp-1}",
            "begins with xoxb- (on the app's page: OAuth & Permissions); this is an app-",
        ),
        one("slack: {bot_token: xoxp-1}", "slack.bot_token: needed here is the Bot User OAuth Token"),
        one("slack: {bot_token: xoxe.xoxb-1}", "token rotation is on"),
        one(
            "slack: {bot_token: 0123abcd}",
            "Token, which begins with xoxb- (on the app's page: OAuth & Permissions)",
        ),
        one(
            "slack: {app_token: xoxb-1}",
            "begins with xapp- (on the app's page: Basic Information); this is a bot's token",
        ),
        one(
            "slack: {signing_secret: [abc, xoxb-1]}",
            "slack.signing_secret[2]: needed here is the Signing Secret",
        ),
        one("slack: {people: {U012: '@x'}}", "expected a GitHub login, such as octocat"),
        one("slack: {email_domains: ['@acme.com']}", "expected the domain of e-mail addresses"),
        one("slack: {email_domains: [Acme.com]}", "in small letters, such as example.com"),
        one("slack: {email_domains: [acme]}", "expected the domain of e-mail addresses"),
        one("slack: {email_domains: [acme.com]}", "github.repositories has to name one"),
        one(
            "{github: {repositories: ['*/shop']}, slack: {email_domains: [acme.com]}}",
            "github.repositories has to name one",
        ),
        one("{jobs: {a: {command: ${A}}}}", "put ${NAME} in quotes"),
    ],
)
def test_mistake_is_told_in_a_sentence(file: Path, text: str, mistake: str) -> None:
    assert mistake in "\n".join(_mistakes(file, text))


@pytest.mark.parametrize("key", ["token", "webhook_secret"])
def test_unset_variable_is_told_once_with_its_line(file: Path, key: str) -> None:
    others = {"token": "", "webhook_secret": "  token: x\n"}[key]
    told = _mistakes(file, f"\n\ngithub:\n  {key}: ${{NOPE}}\n{others}")
    missing = "the environment variable NOPE is not set (${NOPE:-…} gives a default)"
    assert told == [f"4:{5 + len(key)}: github.{key}: {missing}"]


def test_mistake_never_shows_what_came_from_the_environment(file: Path) -> None:
    text = (
        "url: ${PASSWORD}\ngithub: {app_id: 1, private_key: '${PASSWORD}'}\nlimits: {runs: '${PASSWORD}'}\n"
    )
    told = "\n".join(_mistakes(file, text))
    assert "hunter22" not in told
    assert 'not "${PASSWORD}"' in told


def test_mistake_in_defaults_is_told_once_and_there(file: Path) -> None:
    text = (
        "defaults: {timeout: soon, env: {PATH: x}}\njobs: {a: {command: x, env: {A: b}}, b: {command: x}}\n"
    )
    assert [line.split(": ")[1] for line in _mistakes(file, text)] == [
        "defaults.timeout",
        "defaults.env.PATH",
    ]


def test_great_many_mistakes_are_cut(file: Path) -> None:
    lines = _mistakes(file, "\n".join(f"wrong{number}: x" for number in range(500)))
    assert len(lines) == 101
    assert lines[-1].endswith("400 more mistakes")


@pytest.mark.parametrize(
    "where",
    [
        "jobs: {x: {command: a, env: {A: b}, mask: ['${PASSWORD}']}}",
        "jobs: {x: {command: a, image: 'shop-${PASSWORD}'}}",
        "jobs: {x: {command: a, schedule: '1 ${PASSWORD} * * *'}}",
        "jobs: {x: {command: a, schedule: {cron: '@daily', timezone: '${PASSWORD}'}}}",
        "jobs: {x: {command: a, allow: ['${PASSWORD}']}}",
        "jobs: {x: {command: a, on: ['${PASSWORD}']}}",
        "defaults: {image: 'shop-${PASSWORD}'}\njobs: {x: {command: a}}",
        "jobs: {x: {command: a, size: '${PASSWORD}'}}",
    ],
)
def test_mistake_never_shows_what_the_environment_gave(file: Path, where: str) -> None:
    for password in ("hunter22", "hunter/2222", "MON#hunter22"):
        file.write_text(where)
        with pytest.raises(ConfigError) as told:
            load(file, {"PASSWORD": password})
        assert not re.search("hunt|unte|nter|2222|MON#", str(told.value)), str(told.value)


def test_mistake_tells_which_variable_does_not_fit(file: Path) -> None:
    file.write_text("jobs: {x: {command: a, image: 'shop-${IMAGE}'}}")
    with pytest.raises(ConfigError, match=r"what \$\{IMAGE\} gives is not accepted here"):
        load(file, {"IMAGE": "nothing-like-it"})


_IMAGE = "github: {token: t}\nimages: {i: {build: {repository: acme/shop}}}\njobs: {a: {image: i, command: x,"
_NO_SUCH = "no event that starts jobs: expected push, merge_group, or keys such as {deployment: production}"


@pytest.mark.parametrize(
    ("causes", "place", "sentence"),
    [
        ("[psh]", "jobs.a.on[1]", f"{_NO_SUCH}; did you mean push?"),
        ("[{deploymnt: production}]", "jobs.a.on[1]", f"{_NO_SUCH}; did you mean deployment?"),
        ("[push, {deployment: production, urll: x}]", "jobs.a.on[2].urll", "unknown key; did you mean url?"),
        ("[{deployment: 3}]", "jobs.a.on[1].deployment", "expected a text, not 3"),
        ("[{deployment: x, url: 'ftp://x'}]", "jobs.a.on[1].url", "expected an address"),
        ("[{protection_rule: x}]", "jobs.a.on[1].protection_rule", "only an App can answer"),
        ("[{release: opened}]", "jobs.a.on[1].release", "expected published, released"),
        ("[{workflow: CI, branch: main}]", "jobs.a.on[1].branch", "unknown key; did you mean branches?"),
        ("[{pull_request: [opend]}]", "jobs.a.on[1].pull_request[1]", "expected opened, synchronize"),
        ("[{pull_request: [{labeled: 3}]}]", "jobs.a.on[1].pull_request[1]", "expected opened, synch"),
        ("[{pull_request: opened}]", "jobs.a.on[1].pull_request", "expected a list"),
        (
            "[{deployment_status: done}]",
            "jobs.a.on[1].deployment_status",
            "expected error, failure",
        ),
    ],
)
def test_entry_of_on_is_told_where_it_is_wrong(file: Path, causes: str, place: str, sentence: str) -> None:
    (line,) = _mistakes(file, f"{_IMAGE} on: {causes}}}}}")
    assert f": {place}: {sentence}" in line
