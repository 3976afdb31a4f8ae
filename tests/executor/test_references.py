"""Names of images."""

import pytest

from executor import references

DIGEST = "sha256:" + "a1" * 32


@pytest.mark.parametrize(
    ("text", "repository", "host", "whole"),
    [
        ("tools", "tools", None, "tools:latest"),
        ("tools:1.4", "tools", None, "tools:1.4"),
        ("acme/tools", "acme/tools", None, "acme/tools:latest"),
        ("ghcr.io/acme/tools:1.4", "ghcr.io/acme/tools", "ghcr.io", "ghcr.io/acme/tools:1.4"),
        ("localhost/tools", "localhost/tools", "localhost", "localhost/tools:latest"),
        ("localhost:5000/tools", "localhost:5000/tools", "localhost:5000", "localhost:5000/tools:latest"),
        ("registry:5000/a/b", "registry:5000/a/b", "registry:5000", "registry:5000/a/b:latest"),
        ("[::1]:5000/tools", "[::1]:5000/tools", "[::1]:5000", "[::1]:5000/tools:latest"),
        (f"ghcr.io/a/b:1@{DIGEST}", "ghcr.io/a/b", "ghcr.io", f"ghcr.io/a/b@{DIGEST}"),
    ],
)
def test_reference_is_taken_apart(text: str, repository: str, host: str | None, whole: str) -> None:
    reference = references.parse(text)
    assert (reference.repository, reference.host, str(reference)) == (repository, host, whole)
    assert reference.is_local == (host == "localhost")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "A",
        "a//b",
        "a/",
        "/a",
        "a:",
        "a@",
        "a b",
        "a\n",
        "-a",
        "a:-",
        "../a",
        "a/../b",
        "a@sha256:12",
        "ä",
    ],
)
def test_what_no_registry_takes_is_no_reference(text: str) -> None:
    with pytest.raises(ValueError, match="Not a reference"):
        references.parse(text)


@pytest.mark.parametrize(
    "text", ["tools", "acme/tools", "localhost/tools", "ghcr.io/a:1", f"ghcr.io/a@{DIGEST}"]
)
def test_only_a_repository_of_a_registry_is_pushed_to(text: str) -> None:
    assert references.repository("ghcr.io/acme/tools") == "ghcr.io/acme/tools"
    with pytest.raises(ValueError, match="Not a repository"):
        references.repository(text)


def test_names_of_builds_are_told_from_others() -> None:
    commit = "c" * 40
    assert references.built("shop", commit, "w") == f"localhost/errand/w/shop:{commit}"
    for name in (
        references.built("shop", commit, "w"),
        references.built("A B", commit, "w"),
        f"ghcr.io/acme/shop:{commit}",
    ):
        assert references.is_built(name)
        references.parse(name)
    for name in ("localhost/shop:1", "ghcr.io/acme/shop:1.4", "tools"):
        assert not references.is_built(name)
    assert references.built("A B", commit, "w") != references.built("a b", commit, "w")


@pytest.mark.parametrize(("text", "is_id"), [(DIGEST, True), ("sha256:12", False), (f"a@{DIGEST}", False)])
def test_id_is_told_from_a_name(text: str, is_id: bool) -> None:
    assert references.is_id(text) == is_id
