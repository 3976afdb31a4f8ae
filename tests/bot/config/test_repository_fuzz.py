"""Whatever a repository writes defines jobs within the bounds or has mistakes, and takes no secret along."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.config import Config, Owner, RepositoryDefinitions, WrongFile, definition, load
from bot.config.repository_files import definitions_of
from bot.config.repository_rules import OWN
from tests.bot.config.test_fuzz import MARKUP, _flow, names, trees

SECRET = "hunter22"
SERVER = """\
github: {token: "${PASSWORD}", repositories: ["acme/*"]}
engine: {kind: container}
images: {shop: {build: {repository: acme/shop}}, site: {build: {repository: acme/site}}}
sizes: {small: {memory: 64Mi}}
defaults: {env: {KEPT: "${PASSWORD}"}, lock: production}
repository_jobs: {acme/shop: {overrides: [timeout, size], sizes: [small], timeout: 1m, secrets: [shop]}}
"""
PIECES = st.sampled_from([*MARKUP, "jobs", "images", "a", "command", "${PASSWORD}"])
keys = st.sampled_from([*Config.model_fields, *OWN, "timeout", "size", "lock", "allow", "approval", "build"])
jobs = st.dictionaries(names, st.dictionaries(keys, trees, max_size=4) | trees, max_size=3)
images = st.dictionaries(names, st.dictionaries(keys, trees, max_size=3) | trees, max_size=3)


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> tuple[Owner, Config]:
    file: Path = tmp_path_factory.mktemp("server") / "app.yaml"
    file.write_text(SERVER)
    config = load(file, {"PASSWORD": SECRET})
    rules = config.repository_rules("acme/shop")
    assert rules is not None
    return Owner("acme/shop", rules, "shop"), config


def _held(content: bytes, owner: tuple[Owner, Config]) -> None:
    mine, config = owner
    told: WrongFile | None = None
    found = RepositoryDefinitions()
    try:
        found = definitions_of(content, mine, config, lambda section, name: None)
    except WrongFile as wrong:
        told = wrong
    if told is not None:
        assert SECRET not in str(told)
        assert all(each.place.line >= 1 for each in told.mistakes)
    for name, job in found.jobs.items():
        assert name.startswith("shop-")
        assert job.image is None or job.image in ("shop", *found.images)
        assert (job.timeout <= 900.0, job.lock, job.allow, job.approval) == (True, "production", (), None)
        assert job.repositories == ("acme/shop",)
        assert SECRET not in str(definition(job))
        assert SECRET not in str(config.environment(job)[0])
    for image in found.images.values():
        assert image.repository == "acme/shop"


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(written=st.fixed_dictionaries({"jobs": jobs}, optional={"images": images}))
def test_definitions_of_any_shape(owner: tuple[Owner, Config], written: dict[str, Any]) -> None:
    _held(_flow(written).encode(), owner)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    parts=st.lists(
        st.sampled_from([*MARKUP, "jobs", "images", "a", "command", "${PASSWORD}"]) | st.text(max_size=3)
    )
)
def test_texts_of_any_kind(owner: tuple[Owner, Config], parts: list[str]) -> None:
    _held("".join(parts).encode("utf-8", "surrogatepass"), owner)
