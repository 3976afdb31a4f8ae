"""Credentials in Secrets, and which repositories they open."""

import base64
import json
from typing import Any

import pytest

from executor import references
from executor.kubernetes.images.credentials import Credential, Entry, host_of, matching, path_of, read


def secret(auths: Any, kind: str = "dockerconfigjson") -> dict[str, Any]:
    said = {"auths": auths} if kind == "dockerconfigjson" else auths
    data = {f".{kind}": base64.b64encode(json.dumps(said).encode()).decode()}
    return {"type": f"kubernetes.io/{kind}", "data": data}


def auth(user: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize(
    ("image", "host", "path"),
    [
        ("tools", "docker.io", "library/tools"),
        ("acme/tools:1", "docker.io", "acme/tools"),
        ("docker.io/tools", "docker.io", "library/tools"),
        ("index.docker.io/acme/tools", "docker.io", "acme/tools"),
        ("ghcr.io/tools", "ghcr.io", "tools"),
        ("127.0.0.1:5000/a/b@sha256:" + "a" * 64, "127.0.0.1:5000", "a/b"),
    ],
)
def test_a_short_name_is_of_dockers_registry(image: str, host: str, path: str) -> None:
    reference = references.parse(image)
    assert (host_of(reference), path_of(reference)) == (host, path)


def test_all_forms_of_entries_are_read() -> None:
    found = read(
        secret(
            {
                "https://index.docker.io/v1/": auth("octocat", "pass:word"),
                "ghcr.io": {"username": "u", "password": "p"},
                "registry.example.com/acme": {"auth": base64.b64encode(b"0:").decode(), "identitytoken": "t"},
            }
        )
    )
    assert found == [
        Entry("docker.io", "", Credential("octocat", "pass:word")),
        Entry("ghcr.io", "", Credential("u", "p")),
        Entry("registry.example.com", "acme", Credential("0", "", "t")),
    ]
    assert read(secret({"ghcr.io": auth("u", "p")}, "dockercfg")) == [
        Entry("ghcr.io", "", Credential("u", "p"))
    ]


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"type": "Opaque", "data": {".dockerconfigjson": "e30="}},
        {"type": "kubernetes.io/dockerconfigjson", "data": {}},
        {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "!"}},
        {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "W10="}},
        secret([]),
        secret({"ghcr.io": "x", "quay.io": {"auth": "!!"}}),
    ],
)
def test_what_is_no_credential_is_left_out(broken: dict[str, Any]) -> None:
    assert read(broken) == []


def test_the_closest_entry_comes_first() -> None:
    wide, close = Credential("wide"), Credential("close")
    entries = [
        Entry("ghcr.io", "", wide),
        Entry("ghcr.io", "acme", close),
        Entry("ghcr.io", "acme/other", Credential("other")),
        Entry("quay.io", "", Credential("elsewhere")),
    ]
    assert matching(entries, references.parse("ghcr.io/acme/tools")) == [close, wide]
    assert matching(entries, references.parse("ghcr.io/acme-2/tools")) == [wide]


def test_a_pattern_opens_hosts_part_by_part() -> None:
    entries = [Entry("*.azurecr.io", "", Credential("u"))]
    assert matching(entries, references.parse("acme.azurecr.io/x"))
    assert not matching(entries, references.parse("a.b.azurecr.io/x"))
    assert not matching(entries, references.parse("azurecr.io/x"))
    assert matching([Entry("[::1]:5000", "", Credential("u"))], references.parse("[::1]:5000/x"))


def test_credentials_do_not_show() -> None:
    assert "hunter22" not in repr(Credential("u", "hunter22", "hunter22"))
