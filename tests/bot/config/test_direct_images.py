"""Images of registries that jobs of the API name themselves: only of registries that the file lists."""

import json
from pathlib import Path

import pytest

from bot.catalog.exec import image_of, is_named
from bot.catalog.images import Image, direct_image
from bot.config import Config, Wrong, job_of, load
from bot.errors import Unfit

LISTED = ("ghcr.io", "registry.acme.com:5000")
FILE = """
engine: {kind: container}
api: {registries: [ghcr.io, "registry.acme.com:5000"]}
images: {tools: {reference: "ghcr.io/acme/tools:1"}}
jobs: {plain: {image: tools, command: "true"}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "app.yaml").write_text(FILE)
    return load(tmp_path / "app.yaml", {})


def image_of_job(config: Config, image: str) -> str | None:
    return job_of(json.dumps({"image": image, "command": "true"}).encode(), "new", config).image


@pytest.mark.parametrize(
    "reference",
    [
        "ghcr.io/acme/other:2",
        "ghcr.io/other",
        "registry.acme.com:5000/a/b/c:latest",
        f"ghcr.io/acme/other@sha256:{'a' * 64}",
        f"ghcr.io/acme/other:2@sha256:{'a' * 64}",
    ],
)
def test_image_of_a_listed_registry_is_named(config: Config, reference: str) -> None:
    assert image_of_job(config, reference) == reference
    made = direct_image(reference, LISTED)
    assert (made.name, made.reference) == (reference, reference)
    assert Image.model_validate(made.frozen) == made
    assert made.tagged("3").name == reference


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        (
            "quay.io/acme/tools:1",
            "quay.io is none of the registries that api.registries lists: those are ghcr.io",
        ),
        ("ghcr.io.evil.com/acme/tools:1", "ghcr.io.evil.com is none"),
        ("evil.com/ghcr.io/tools:1", "evil.com is none"),
        ("ghcr.io:443/acme/tools:1", "ghcr.io:443 is none"),
        ("GHCR.IO/acme/tools:1", "GHCR.IO is none"),
        ("registry.acme.com/a:1", "registry.acme.com is none"),
        ("localhost/errand/word/shop:abc", "localhost is none"),
        ("alpine:3", "is named with its host"),
        ("library/alpine:3", "is named with its host"),
        ("ghcr.io@evil.com/acme/tools:1", "expected the name of an image"),
        ("https://ghcr.io/acme/tools:1", "expected the name of an image"),
        ("ghcr.io/acme/tools:1\n", "expected the name of an image"),
        ("ghcr.io/../tools:1", "expected the name of an image"),
        ("ghcr.io/acme/tools:1 --privileged", "expected the name of an image"),
        ("ghcr.io/Acme/tools:1", "expected the name of an image"),
        (f"ghcr.io/{'a' * 300}:1", "expected the name of an image"),
        ("ɡhcr.io/acme/tools:1", "expected the name of an image"),
        ("${HOST}/acme/tools:1", "expected the name of an image"),
        ("nowhere", "there is no image nowhere"),
    ],
)
def test_all_others_are_refused(config: Config, reference: str, told: str) -> None:
    with pytest.raises(Wrong) as wrong:
        image_of_job(config, reference)
    assert {pointer for pointer, _ in wrong.value.mistakes} == {"/image"}
    assert told in str(wrong.value)


def test_without_a_list_nothing_is_named(config: Config) -> None:
    closed = config.model_copy(update={"api": type(config.api)()})
    with pytest.raises(Wrong, match="there are none"):
        image_of_job(closed, "ghcr.io/acme/other:2")


def test_process_engine_has_no_such_images(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("api: {registries: [ghcr.io]}\njobs: {a: {command: 'true'}}\n")
    config = load(tmp_path / "app.yaml", {})
    with pytest.raises(Wrong):
        image_of_job(config, "ghcr.io/acme/other:2")


def test_registry_that_is_the_engines_own_cannot_be_listed(tmp_path: Path) -> None:
    for host in ("localhost", "localhost:5000", "ghcr.io/acme", "https://ghcr.io", "*"):
        (tmp_path / "app.yaml").write_text(f"api: {{registries: ['{host}']}}\n")
        with pytest.raises(Exception, match="expected the host of a registry"):
            load(tmp_path / "app.yaml", {})


def test_single_commands_do_not_see_what_jobs_name_themselves() -> None:
    direct = direct_image("ghcr.io/acme/secret:1", LISTED)
    images = {direct.name: direct}
    for text in (direct.name, "ghcr.io/acme/secret:2"):
        with pytest.raises(Unfit):
            image_of(images, text)
    assert not is_named(images, direct)
