"""Names of images, as registries and engines write them; pure.

Grammar: https://pkg.go.dev/github.com/distribution/reference
"""

import hashlib
import re
from dataclasses import dataclass

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = (
    r"(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9-]+(?=:[0-9])|\[[0-9a-fA-F:]+\])"
    r"(?::[0-9]{1,5})?"
)
_NAME = rf"(?:(?P<host>{_HOST})/)?{_COMPONENT}(?:/{_COMPONENT})*"
_REFERENCE = re.compile(
    rf"(?P<repository>{_NAME})(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
)
_ID = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_COMMIT = r"[0-9a-f]{40}|[0-9a-f]{64}"
_LONGEST = 255
"""Characters of a repository."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One image of one repository; without tag and digest the tag is `latest`."""

    repository: str
    host: str | None
    tag: str | None
    digest: str | None

    @property
    def is_local(self) -> bool:
        """Whether no registry has it: both engines use this host for what they keep themselves."""
        return self.host == "localhost"

    def __str__(self) -> str:
        if self.digest:
            return f"{self.repository}@{self.digest}"
        return f"{self.repository}:{self.tag or 'latest'}"


def parse(text: str) -> Reference:
    """Give the parts of a reference; raises ValueError. A digest goes before a tag."""
    found = _REFERENCE.fullmatch(text)
    if found is None or len(found["repository"]) > _LONGEST:
        raise ValueError(f"Not a reference to an image: {text[:200]!r}.")
    return Reference(found["repository"], found["host"], found["tag"], found["digest"])


def is_id(text: str) -> bool:
    """Whether `text` is the id of an image of this machine."""
    return _ID.fullmatch(text) is not None


def repository(text: str) -> str:
    """Return `text` if it names a repository of a registry; raises ValueError."""
    reference = parse(text)
    if reference.repository != text or reference.host is None or reference.is_local:
        raise ValueError(
            f"Not a repository of a registry, such as registry.example.com/acme/shop: {text[:200]!r}."
        )
    return text


def built(image: str, commit: str, word: str) -> str:
    """Name what is built for `image` of `commit` on this machine; `word` is of its repository."""
    return f"localhost/errand/{word}/{_component(image)}:{commit}"


def below(repository: str, image: str) -> str:
    """Name the repository of `image` below another one."""
    return f"{repository}/{_component(image)}"


def is_built(name: str) -> bool:
    """Whether a build gave this name: a tag of its own, or (Docker) that of what it pushes."""
    repository, _, tag = name.rpartition(":")
    return repository.startswith("localhost/errand/") or re.fullmatch(_COMMIT, tag, re.ASCII) is not None


def _component(name: str) -> str:
    if re.fullmatch(_COMPONENT, name, re.ASCII) and len(name) <= 128:
        return name
    return f"other-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
