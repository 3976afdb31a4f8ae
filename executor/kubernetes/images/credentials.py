"""What opens registries: the contents of Secrets of type kubernetes.io/dockerconfigjson. Pure.

https://kubernetes.io/docs/concepts/containers/images/#config-json tells how their entries are matched.
"""

import base64
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from executor.kubernetes.client import Object
from executor.references import Reference

HUB = "docker.io"
_HUBS = frozenset({HUB, "index.docker.io", "registry-1.docker.io"})
_SECRETS = {
    "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
    "kubernetes.io/dockercfg": ".dockercfg",
}


@dataclass(frozen=True, slots=True)
class Credential:
    """A name and a password, or a `token` that others are given for; no `repr` shows them."""

    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """A credential for a registry, `host` as a pattern, below `path`."""

    host: str
    path: str
    credential: Credential


def host_of(reference: Reference) -> str:
    """Name the registry of an image, which is Docker's where it names none."""
    return HUB if reference.host is None or reference.host in _HUBS else reference.host


def path_of(reference: Reference) -> str:
    """Give the repository without its registry."""
    path = reference.repository
    if reference.host is not None:
        path = path.removeprefix(f"{reference.host}/")
    return f"library/{path}" if host_of(reference) == HUB and "/" not in path else path


def read(secret: Object) -> list[Entry]:
    """Give what a Secret holds; what is not as it should be is left out."""
    name = _SECRETS.get(str(secret.get("type")))
    found: list[Entry] = []
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        config = json.loads(base64.b64decode(secret["data"][name]))
        auths = config["auths"] if name == ".dockerconfigjson" else config
        for where, entry in auths.items():
            with suppress(ValueError, KeyError, TypeError, AttributeError):
                found.append(_entry(where, entry))
    return found


def matching(entries: Iterable[Entry], reference: Reference) -> list[Credential]:
    """Give what may open the repository of `reference`, the closest first."""
    host, path = host_of(reference), path_of(reference)
    found = [entry for entry in entries if _is_host(entry.host, host) and _is_below(path, entry.path)]
    found.sort(key=lambda entry: len(entry.path), reverse=True)
    return list(dict.fromkeys(entry.credential for entry in found))


def _entry(where: str, entry: Mapping[str, str]) -> Entry:
    host, _, path = where.partition("://")[2 if "://" in where else 0].partition("/")
    path = path.strip("/")
    if host in _HUBS:
        host = HUB
    if path in ("v1", "v2"):  # the address of the API, not a repository
        path = ""
    user, password = entry.get("username", ""), entry.get("password", "")
    if not user and "auth" in entry:
        user, _, password = base64.b64decode(entry["auth"]).decode().partition(":")
    if not user and not entry.get("identitytoken"):
        raise ValueError("neither a name nor a token")
    return Entry(host, path, Credential(user, password, entry.get("identitytoken")))


def _is_host(pattern: str, host: str) -> bool:
    """Whether each part of a host's name is like that of the pattern."""
    ours, theirs = host.split("."), pattern.split(".")
    return host == pattern or (len(ours) == len(theirs) and all(map(fnmatchcase, ours, theirs)))


def _is_below(path: str, parent: str) -> bool:
    return not parent or path == parent or path.startswith(f"{parent}/")
