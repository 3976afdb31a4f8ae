"""What a repository may define for itself, and what it may not, however its file is written."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from bot.config import Config, Owner, RepositoryDefinitions, WrongFile, load, narrowed, prefix_of
from bot.config.findings import Invalid
from bot.config.repository_files import LIMIT, SHOWN, definitions_of
from bot.config.repository_rules import OWN, Override

SERVER = """\
github: {token: "${GITHUB_TOKEN}", repositories: ["acme/*"]}
engine: {kind: container}
images:
  shop: {build: {repository: Acme/Shop}}
  site: {build: {repository: acme/site}}
  tools: {reference: "ghcr.io/acme/tools:1"}
  other: {reference: "ghcr.io/other/tools:1"}
sizes: {small: {memory: 64Mi}, large: {memory: 8Gi}}
defaults:
  image: shop
  env: {SECRET: "${SECRET}"}
  setup: "curl https://example.com/$TOKEN"
  timeout: 5m
  lock: production
  allow: ["github:octocat"]
  concurrency: forbid
repository_jobs:
  acme/shop:
    overrides: [timeout, size, "on", schedule]
    sizes: [small]
    timeout: 30m
    registries: [ghcr.io/acme]
    push: [ghcr.io/acme/shop]
    secrets: [shop-db, LISTED, github]
  acme/*: {prefix: team, jobs: 2}
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A server that lets a repository define something."""
    file = tmp_path_factory.mktemp("server") / "app.yaml"
    file.write_text(SERVER)
    environ = {
        "GITHUB_TOKEN": "s3cr3t-t0ken",
        "SECRET": "s3cr3t-value",
        "LISTED": "listed",
        "SHOP_DB_URL": "postgres://",
    }
    return load(file, environ)


def free(section: str, name: str) -> str | None:
    return None


def owner_of(config: Config, repository: str) -> Owner:
    rules = config.repository_rules(repository)
    assert rules is not None
    return Owner(repository, rules, prefix_of(rules, repository))


def found(config: Config, text: str | bytes, repository: str = "acme/shop") -> RepositoryDefinitions:
    content = text if isinstance(text, bytes) else text.encode()
    return definitions_of(content, owner_of(config, repository), config, free)


def mistakes(config: Config, text: str | bytes, repository: str = "acme/shop") -> list[str]:
    with pytest.raises(WrongFile) as wrong:
        found(config, text, repository)
    return [str(mistake) for mistake in wrong.value.mistakes]


def test_jobs_get_a_prefix_their_own_image_and_what_governs_from_the_server(config: Config) -> None:
    made = found(
        config,
        "images:\n  app: {build: {}, push: ghcr.io/acme/shop/app}\njobs:\n"
        "  migrate: {image: app, command: [migrate], timeout: 20m, size: small}\n",
    )
    (job,) = made.jobs.values()
    assert (job.name, job.image, job.timeout, job.size) == ("shop-migrate", "shop-app", 1200.0, "small")
    assert (job.lock, job.concurrency, job.allow) == ("production", "forbid", ("github:octocat",))
    assert (job.env, job.setup, job.repositories) == ({}, None, ("acme/shop",))
    assert made.images["shop-app"].repository == "acme/shop"
    assert made.lines == {"shop-migrate": 4}


def test_an_empty_file_defines_nothing(config: Config) -> None:
    for text in ("", "# nothing\n", "jobs:\n", "{}\n", "images: {}\njobs: {}\n"):
        assert found(config, text).jobs == {}


@pytest.mark.parametrize(
    ("job", "told"),
    [
        ("image: site", "there is no image site for acme/shop"),
        ("image: other", "there is no image other for acme/shop"),
        ("image: sho", "there is no image sho for acme/shop; did you mean shop?"),
        ("image: shop, timeout: 31m", "expected at most 30m by the server's file"),
        ("image: shop, size: large", "expected one of small by the server's file"),
        ("image: shop, resources: {memory: 1Gi}", "resources is the server's to say, whoever asks"),
        ("image: shop, allow: []", "allow is the server's to say, whoever asks"),
        ("image: shop, deny: []", "deny is the server's to say, whoever asks"),
        ("image: shop, repositories: [acme/site]", "repositories is the server's to say, whoever asks"),
        ("image: shop, lock: other", "lock is the server's to say: it is not in the overrides of acme/shop"),
        ("image: shop, pod: {}", "unknown key"),
        ("image: shop, service_account: admin", "service_account is the server's to say, whoever asks"),
        ("image: shop, name: migrate", "unknown key: the name stands above"),
        (
            "image: shop, env: {A: '${SECRET}'}",
            "SECRET is not among the secrets that the server's file gives",
        ),
        ("image: shop, env: {A: '${NONE:-${SECRET}}'}", "expected ${NAME} or ${NAME:-default}"),
        ("image: shop, env: {A: '${NONE:-x} ${SECRET}'}", "NONE is not among the secrets"),
        ("image: shop, env: {A: {secret: web-db, key: url}}", "web-db is not among the secrets"),
        ("image: shop, env: {A: {secret: github, key: token}}", "github is not among the secrets"),
        ("image: shop, approval: {from: []}", "approval is the server's to say, whoever asks"),
        ("image: shop, env: {A: {configmap: shop-web, key: url}}", "shop-web is not among the secrets"),
        ("image: shop, workdir: '${SECRET}'", "${…} is replaced in env alone"),
        ("image: shop, mask: ['${SECRET}']", "${…} is replaced in env alone"),
    ],
)
def test_job_that_says_more_than_it_may_is_a_mistake_in_its_place(
    config: Config, job: str, told: str
) -> None:
    (first, *_) = mistakes(config, f"jobs:\n  migrate: {{command: x, {job}}}\n")
    assert told in first
    assert first.startswith("2:")
    assert "s3cr3t" not in first


@pytest.mark.parametrize(
    ("image", "told"),
    [
        ("build: {repository: acme/site}", "the images of acme/shop are built from it"),
        ("build: {timeout: 1h}", "expected at most 30m by the server's file"),
        ("build: {secrets: [SECRET]}", "SECRET is not among the secrets"),
        (
            "build: {}, push: ghcr.io/acme/shopping",
            "the server's file allows one of ghcr.io/acme/shop, or below",
        ),
        ("reference: 'ghcr.io/acmes/tools:1'", "the server's file allows one of ghcr.io/acme, or below"),
        ("reference: 'evil.example.com/ghcr.io/acme/tools'", "the server's file allows one of ghcr.io/acme"),
        ("workload: container/web", "a workload's image comes with its environment"),
        ("reference: '${SECRET}'", "${…} is replaced in env alone"),
    ],
)
def test_image_from_elsewhere_is_a_mistake_in_its_place(config: Config, image: str, told: str) -> None:
    (first, *_) = mistakes(config, f"images:\n  app: {{{image}}}\n")
    assert told in first
    assert "s3cr3t" not in first


def test_what_the_server_lists_is_given(config: Config) -> None:
    made = found(
        config,
        "images:\n"
        "  tools: {reference: 'ghcr.io/acme/tools:2@sha256:" + "0" * 64 + "'}\n"
        "  app: {build: {repository: ACME/shop, secrets: [LISTED]}}\n"
        "jobs:\n"
        "  a: {image: tools, command: x, env: {A: 'of ${LISTED}', B: {secret: shop-db, key: url}}}\n"
        "  b: {image: shop, command: x, on: [push]}\n"
        "  c: {image: tools, command: 'echo ${SECRET}', schedule: {cron: '@daily'}}\n",
    )
    assert made.jobs["shop-c"].command == "echo ${SECRET}"
    assert made.jobs["shop-c"].image == "shop-tools"
    assert made.jobs["shop-b"].image == "shop"


def test_other_repositories_have_the_rules_of_the_pattern(config: Config) -> None:
    made = found(config, "images: {app: {build: {}}}\njobs: {x: {image: app, command: x}}\n", "acme/web")
    assert list(made.jobs) == ["team-x"]
    text = "jobs:\n" + "".join(f"  j{number}: {{command: x}}\n" for number in range(3))
    assert mistakes(config, text, "acme/web") == ["1:1: jobs: 3 of them: the server's file allows 2"]
    assert config.repository_rules("other/web") is None


def test_names_that_others_have_are_told_where_they_stand(config: Config) -> None:
    def taken(section: str, name: str) -> str | None:
        return f"{name} is taken" if name in ("shop-b", "shop-app") else None

    text = (
        b"images:\n  app: {build: {}}\njobs:\n  a: {image: app, command: x}\n  b: {image: app, command: x}\n"
    )
    with pytest.raises(WrongFile) as wrong:
        definitions_of(text, owner_of(config, "acme/shop"), config, taken)
    told = [str(mistake) for mistake in wrong.value.mistakes]
    assert told == ["2:3: images.app: shop-app is taken", "5:3: jobs.b: shop-b is taken"]


LAUGHS = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"x" * (LIMIT + 1), "the file is larger than 64 KiB"),
        (LAUGHS.encode(), "more than 100 aliases"),
        (b"jobs:\n  " + b"[{" * 3_000, "2:103: more than 100 brackets are open here"),
        (b"- " * 2_000 + b"a", "nested too deeply"),
        (b"a: " + b"[" * 30 + b"]" * 30, "nested more than 20 levels deep"),
        (b"jobs:\n  a: {command: \xff}\n", "the file is not UTF-8 text"),
        ("jobs: {}".encode("utf-16"), "the file is not UTF-8 text"),
        (b"jobs:\n  a: {command: x}\n  a: {command: y}\n", "given twice; first in line 2"),
        (b"jobs: !!python/object:os.system {}\n", "is not allowed; only plain values are"),
        (b"jobs: {}\n---\njobs: {}\n", "not YAML"),
        (b"- jobs\n", "expected keys: images: and jobs:"),
        (b"jobs: 3\n", "expected names and definitions"),
        (b"jobs: {a: 3}\n", "expected keys and values"),
        (b'jobs: {a: {command: "x\\0"}}\n', "expected at most"),
        (b"defaults: {image: x}\n", "everything else is the server's to say"),
        (b"repository_jobs: {}\n", "everything else is the server's to say"),
    ],
)
def test_hostile_file_is_bounded_and_told(config: Config, content: bytes, told: str) -> None:
    assert any(told in mistake for mistake in mistakes(config, content))


def test_ten_thousand_jobs_are_one_mistake_and_many_mistakes_are_cut(config: Config) -> None:
    many = ["jobs:\n", *(f"  j{number}: {{}}\n" for number in range(10_000))]
    assert mistakes(config, "".join(many)) == ["1:1: the file is larger than 64 KiB"]
    few = mistakes(config, "".join(many[:2_001]))
    assert few == ["1:1: jobs: 2000 of them: the server's file allows 50"]
    wide = "jobs:\n" + "".join(f"  j{n}: {{a: 1, b: 1, c: 1, d: 1, e: 1}}\n" for n in range(50))
    assert len(mistakes(config, wide)) == SHOWN


def test_process_engine_runs_them_only_where_that_is_said(config: Config) -> None:
    own = config.model_copy(update={"engine": config.engine.model_copy(update={"kind": "process"})})
    own._written = {**config.written, "engine": {"kind": "process"}}
    text = "jobs:\n  a: {command: x}\n"
    for each in (text, "images:\n  a: {build: {setup: make}}\n"):
        assert "does not say unconfined: true" in mistakes(own, each)[0]
    owner = owner_of(own, "acme/shop")
    bold = replace(owner, rules=owner.rules.model_copy(update={"unconfined": True}))
    del own._written["images"], own._written["defaults"]
    assert definitions_of(text.encode(), bold, own, free).jobs["shop-a"].image is None


def test_in_a_cluster_they_act_as_nobody_or_as_whom_the_server_says(config: Config) -> None:
    kubernetes: Any = {"kind": "kubernetes", "kubernetes": {"service_account": "powerful"}}
    cluster = config.model_copy(update={"engine": config.engine.model_copy(update={"kind": "kubernetes"})})
    images: Any = {"shop": {"build": {"repository": "acme/shop"}, "push": "ghcr.io/acme/shop"}}
    cluster._written = {**config.written, "engine": kubernetes, "images": images}
    text = b"images: {a: {build: {}, push: ghcr.io/acme/shop/a}}\njobs: {j: {image: a, command: x}}\n"
    owner = owner_of(cluster, "acme/shop")
    assert definitions_of(text, owner, cluster, free).jobs["shop-j"].service_account == ""
    given = replace(owner, rules=owner.rules.model_copy(update={"service_account": "migrator"}))
    assert definitions_of(text, given, cluster, free).jobs["shop-j"].service_account == "migrator"
    wants = text.replace(b"command: x", b"command: x, service_account: powerful")
    with pytest.raises(WrongFile, match="service_account is the server's to say, whoever asks"):
        definitions_of(wants, given, cluster, free)


def test_what_the_server_asks_of_every_job_holds_for_those_of_repositories(tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    file.write_text(
        "github: {token: abcdef}\nengine: {kind: container}\npeople: {ops: ['github:octocat']}\n"
        "images: {shop: {build: {repository: acme/shop}}}\n"
        "defaults: {after: {job: first, of: image}, allow: [ops], approval: {from: [ops]}}\n"
        "freeze: [{from: '2026-12-23T18:00', until: '2027-01-02T08:00', why: rest, jobs: [first]}]\n"
        "jobs: {first: {image: shop, command: x, after: []}}\nrepository_jobs: {acme/shop: {}}\n"
    )
    config = load(file, {})
    made = found(config, "jobs: {next: {image: shop, command: x}}\n").jobs["shop-next"]
    assert ([each.job for each in made.predecessors], made.allow) == (["first"], ("ops",))
    assert made.approval is not None
    for weaker in ("approval: null", "allow: null", "after: []", "approval: {from: [ops], count: 1}"):
        (told,) = mistakes(config, f"jobs: {{next: {{image: shop, command: x, {weaker}}}}}\n")
        assert "is the server's to say, whoever asks" in told


def test_stored_definitions_lose_what_the_server_allows_no_more(config: Config) -> None:
    text = (
        "images: {app: {build: {}}, tools: {reference: ghcr.io/acme/tools}}\njobs:\n"
        "  a: {image: app, command: x, timeout: 20m}\n  b: {image: app, command: x}\n"
        "  c: {image: tools, command: x}\n"
    )
    written: Mapping[str, Any] = found(config, text).written
    owner = owner_of(config, "acme/shop")
    assert set(narrowed(written, owner, config, free)[0].jobs) == {"shop-a", "shop-b", "shop-c"}
    stricter = replace(owner, rules=owner.rules.model_copy(update={"overrides": (), "registries": ()}))
    made, gone = narrowed(written, stricter, config, free)
    assert (set(made.jobs), set(made.images), gone) == ({"shop-b"}, {"shop-app"}, ["a", "c"])


def test_rules_that_have_no_effect_are_mistakes(tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    for rules, told in (
        ("{sizes: [small]}", "belong together"),
        ("{overrides: [size]}", "belong together"),
        ("{overrides: [allow]}", "expected cancel_with"),
        ("{overrides: [pod]}", "expected cancel_with"),
        ("{prefix: Shop}", "expected small letters"),
        ("{secrets: ['${']}", "expected"),
        ("{registries: [acme]}", "expected a repository with the host"),
        ("{override: []}", "unknown key; did you mean overrides?"),
        ("{secrets: [TOKEN]}", "TOKEN is the installation's own secret"),
        ("{overrides: [size], sizes: [smal]}", "there is no size smal; did you mean small?"),
    ):
        head = "github: {token: '${TOKEN}', repositories: [acme/shop]}\nsizes: {small: {memory: 64Mi}}\n"
        file.write_text(f"{head}repository_jobs:\n  acme/shop: {rules}\n")
        with pytest.raises(Invalid, match=r"app\.yaml:4") as wrong:
            load(file, {"TOKEN": "abcdef"})
        assert told in str(wrong.value)


def test_what_another_engine_has_is_a_mistake(tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    for engine, rule, told in (
        ("container", "unconfined: true", "this engine confines every job"),
        ("process", "service_account: deployer", "only a cluster has service accounts"),
    ):
        file.write_text(
            f"github: {{token: abcdef, repositories: [acme/*]}}\nengine: {{kind: {engine}}}\n"
            f"repository_jobs: {{acme/*: {{{rule}}}}}\n"
        )
        with pytest.raises(Invalid, match=r"app\.yaml:3:28") as wrong:
            load(file, {})
        assert told in str(wrong.value)


def test_repository_that_may_not_talk_here_cannot_be_given_anything(tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    for github, told in (
        ("github: {token: abc, repositories: [acme/site]}", "github.repositories does not let acme/shop in"),
        ("github: {token: abc}", "github.repositories does not let acme/shop in"),
        ("url: https://errand.example.com", "a github section is needed"),
    ):
        file.write_text(f"{github}\nrepository_jobs: {{acme/shop: {{}}}}\n")
        with pytest.raises(Invalid) as wrong:
            load(file, {})
        assert told in str(wrong.value)


def test_example_of_the_documentation_is_right(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "repository-jobs.md").read_text()
    blocks = [rf"^```{kind}\n(.*?)^```" for kind in ("yaml", "yml")]
    server, own = (re.findall(block, page, re.DOTALL | re.MULTILINE) for block in blocks)
    file = tmp_path / "app.yaml"
    file.write_text(server[0])
    assert list(found(load(file, {"GITHUB_TOKEN": "abcdef"}), own[0]).jobs) == ["shop-migrate"]
    for key in (*OWN, *get_args(Override)):
        assert f"`{key}`" in page


def test_summary_says_who_may_define_what(config: Config) -> None:
    told = dict(config.summary())
    assert told["repository acme/shop"] == "defines up to 50 jobs, sets timeout, size, on, schedule"
    assert told["repository acme/*"] == "defines up to 2 jobs, sets nothing else"


def test_prefix_is_made_of_any_name(config: Config) -> None:
    rules = owner_of(config, "acme/shop").rules
    names = {
        "acme/Shop": "shop",
        "acme/.github": "github",
        "acme/a_b.c": "a-b-c",
        "acme/" + "x" * 50: "x" * 20,
    }
    assert {name: prefix_of(rules, name) for name in names} == names
    assert prefix_of(rules, "acme/...") == "repository"
