"""Sizes, resources, files and secrets of jobs are checked whole, each mistake in its place."""

from pathlib import Path

import pytest

from bot.catalog.catalog import Job
from bot.catalog.conditions import Resources, SecretReference
from bot.config import sizing
from bot.config.sizing import sized
from bot.errors import ConfigError
from executor.spec import Secret
from tests.bot.config.files import Files

ENVIRON = {"SHOP_DB_URL": "postgres://shop:hunter22@db/shop", "EMPTY": ""}
read, mistakes = Files(ENVIRON).read, Files(ENVIRON).mistakes


@pytest.fixture(autouse=True)
def linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory can be limited, wherever these tests run."""
    monkeypatch.setattr(sizing, "LIMITED", frozenset({"memory"}))


def test_size_becomes_the_resources_that_runs_are_frozen_with(file: Path) -> None:
    config = read(
        file,
        """
sizes: {small: {memory: 256Mi}, large: {memory: 2Gi, gpu: 0}}
defaults: {size: small}
jobs:
  a: {command: x}
  b: {command: x, size: large}
  c: {command: x, resources: {memory: 1Gi}}
""",
    )
    assert {name: job.resources for name, job in config.jobs.items()} == {
        "a": Resources(memory=256 << 20),
        "b": Resources(memory=2 << 30),
        "c": Resources(memory=1 << 30),
    }
    assert (config.jobs["a"].size, config.jobs["c"].size) == ("small", None)
    stored = Job.model_validate(config.jobs["b"].model_dump(mode="json"))
    assert stored.resources == Resources(memory=2 << 30)
    assert sized(stored, config.sizes, "process") == stored


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (
            "sizes: {small: {memory: 1Gi}}\njobs: {a: {command: x, size: smal}}",
            "2:30: jobs.a.size: there is no size smal; did you mean small?",
        ),
        ("defaults: {size: big}\njobs: {a: {command: x}}", "1:18: defaults.size: there is no size big"),
        (
            "sizes: {s: {memory: 1Gi}}\njobs: {a: {command: x, size: s, resources: {memory: 1Gi}}}",
            "jobs.a.size: either size or resources; not both",
        ),
        (
            "sizes: {s: {cpu: 250m}}",
            "1:13: sizes.s.cpu: cpu cannot be limited by the process engine; memory can",
        ),
        ("jobs: {a: {command: x, resources: {gpu: 1}}}", "jobs.a.resources.gpu: gpu cannot be limited"),
        ("defaults: {resources: {cpu: 2}}\njobs: {a: {command: x}}", "defaults.resources.cpu: cpu cannot be"),
        ("sizes: {s: {memory: 1Ki}}", "sizes.s.memory: expected a size from 4Mi to 16384Gi, not"),
        ("sizes: {s: {memory: lots}}", "sizes.s.memory: expected a size such as"),
        ("sizes: {s: {memroy: 1Gi}}", "sizes.s.memroy: unknown key; did you mean memory?"),
        ("sizes: {S: {memory: 1Gi}}", "expected a name of small letters"),
        (
            "sizes: {s: {memory: 1Gi}}\njobs: {a: {command: x, resources: {memory: 2Gi}}}",
            "2:24: jobs.a.resources: memory is more than any of sizes allows",
        ),
        ("jobs: {a: {command: x, retries: 11}}", "jobs.a.retries: "),
        ("jobs: {a: {command: x, retries: -1}}", "jobs.a.retries: "),
        ("jobs: {a: {command: x, files: {../a: x}}}", "expected the path of a file, without . and .."),
        ("jobs: {a: {command: x, files: {/: x}}}", "expected the path of a file, without . and .."),
        ('jobs: {a: {command: x, files: {a: "\\0"}}}', "without NUL characters"),
        ("jobs: {a: {command: x, files: {a: x, /a: y}}}", "jobs.a.files: a is given twice"),
        ("jobs: {a: {command: x, files: {a: x, a/b: y}}}", "a cannot be both a file and a directory"),
        (
            "jobs: {a: {command: x, files: {" + ", ".join(f"f{n}: x" for n in range(101)) + "}}}",
            "expected at most 100 files",
        ),
        (
            "jobs:\n  a:\n    command: x\n    env:\n      URL: {secret: shop-db, key: password}",
            "5:12: jobs.a.env.URL: the environment variable SHOP_DB_PASSWORD is not set"
            " (key password of the secret shop-db)",
        ),
        (
            "defaults: {env: {URL: {secret: no, key: key}}}\njobs: {a: {command: x}, b: {command: y}}",
            "1:23: defaults.env.URL: the environment variable NO_KEY is not set",
        ),
        (
            "jobs: {a: {command: x, env: {URL: {secret: shop-db}}}}",
            "jobs.a.env.URL: a value from a secret is {secret: shop-db, key: url}",
        ),
        (
            "jobs: {a: {command: x, env: {URL: {secret: '../x', key: url}}}}",
            "expected the name of a secret, such as shop-db",
        ),
        ("jobs: {a: {command: x, env: {URL: {secret: s, key: 'a b'}}}}", "expected the name of a key"),
    ],
)
def test_mistake_is_told_in_a_sentence(file: Path, text: str, mistake: str) -> None:
    told = mistakes(file, text)
    assert mistake in "\n".join(told)
    assert len(told) == 1


def test_memory_is_refused_where_the_system_cannot_limit_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizing, "LIMITED", frozenset())
    (told,) = mistakes(file, "sizes: {s: {memory: 1Gi}}")
    assert "memory cannot be limited by the process engine on this system" in told


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"size": "x"}, "there is no size x"),
        ({"size": "s", "resources": {"memory": 1 << 20 << 3}}, "not both"),
        ({"resources": {"cpu": "1"}}, "cpu cannot be limited"),
        ({"resources": {"memory": "2Gi"}}, "more than any of sizes allows"),
    ],
)
def test_job_that_comes_from_elsewhere_is_held_to_the_same(more: dict[str, object], sentence: str) -> None:
    job = Job.model_validate({"name": "a", "command": "x", **more})
    with pytest.raises(ValueError, match=sentence):
        sized(job, {"s": Resources(memory=1 << 30)}, "process")


def test_secret_is_a_reference_until_a_run_starts(file: Path) -> None:
    config = read(
        file, "jobs: {a: {command: x, env: {URL: {secret: shop-db, key: url}, MODE: fast, NUMBER: 3}}}"
    )
    job = config.jobs["a"]
    assert job.env["URL"] == SecretReference(secret="shop-db", key="url")
    frozen = job.model_dump(mode="json")
    assert frozen["env"]["URL"] == {"secret": "shop-db", "key": "url"}
    assert "hunter22" not in str(frozen)
    variables, secrets = config.environment(Job.model_validate(frozen))
    assert variables == {"URL": ENVIRON["SHOP_DB_URL"], "MODE": "fast", "NUMBER": "3"}
    assert secrets == (Secret(ENVIRON["SHOP_DB_URL"]),)


def test_secret_that_is_gone_when_a_run_starts_is_told(file: Path) -> None:
    config = read(file, "jobs: {a: {command: x, env: {URL: {secret: shop-db, key: url}}}}")
    config._environ = {}
    with pytest.raises(ConfigError, match=r"jobs\.a\.env\.URL: the environment variable SHOP_DB_URL is not"):
        config.environment(config.jobs["a"])


@pytest.mark.parametrize(
    ("secret", "key", "variable"),
    [("shop-db", "url", "SHOP_DB_URL"), ("a.b", "tls.crt", "A_B_TLS_CRT"), ("x", "KEY_1", "X_KEY_1")],
)
def test_name_of_a_secret_s_variable(secret: str, key: str, variable: str) -> None:
    assert SecretReference(secret=secret, key=key).variable == variable


def test_files_are_taken_as_they_are_written(file: Path) -> None:
    config = read(file, "jobs: {a: {command: x, files: {/etc/a.conf: '$host ${NOPE} $$'}}}")
    assert config.jobs["a"].files == {"/etc/a.conf": "$host ${NOPE} $$"}
