"""Where a job's image comes from: a build of a repository, a registry, or what a workload runs now. Pure.

An `Image` is stored with its builds, or with the runs in it, so it never holds a secret: of those that a
build is given only the names.
"""

import re
from collections.abc import Collection
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from bot.catalog.conditions import DAY, Definition, Duration, Script, between, is_object_name
from bot.catalog.patterns import Form, with_keys
from executor.spec import Live

LABEL = "^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"
_REPOSITORY = "^[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100}$"
"""These, `_TARGET` and `_NAME` are read by JSON Schema as well, which has them from here."""
_WORD = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = rf"(?:localhost|{_WORD}(?:\.{_WORD})+|{_WORD}(?=:[0-9])|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PLACE = re.compile(rf"(?:(?P<host>{_HOST})/)?{_PART}(?:/{_PART})*", re.ASCII)
"""A repository of a registry: https://github.com/distribution/reference/blob/main/reference.go

What stands before the first `/` is a host only with a dot or a port, as for all programs that read these.
"""
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_LONGEST_PLACE = 255
_WORKLOAD = re.compile(r"container/[A-Za-z0-9][A-Za-z0-9_.-]{0,127}", re.ASCII)
CLUSTERED = ("deployment", "statefulset", "daemonset", "cronjob", "pod")
"""The workloads of Kubernetes that a live image can come from."""
_CLUSTERED = re.compile(rf"(?:{'|'.join(CLUSTERED)})/(?P<name>.+)", re.ASCII)
_TARGET = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$"
_NAME = "^[A-Za-z_][A-Za-z0-9_]{0,127}$"
_FORMS = ("build", "reference", "workload")
_OF_A_WORKLOAD = ("namespace", "container")
_VALUE_LIMIT = 4096
"""Characters of one argument of a build."""


def image_name(name: str) -> str:
    """`name` if an image can be called so: a DNS label."""
    if not re.fullmatch(LABEL, name):
        raise ValueError("expected a name of small letters, digits and - (at most 63), such as shop")
    return name


def is_repository(name: str) -> bool:
    """Whether `name` is OWNER/NAME as GitHub spells them."""
    return bool(re.fullmatch(_REPOSITORY, name)) and name.split("/")[1] not in (".", "..")


def repository_name(name: str) -> str:
    """`name` if it is OWNER/NAME as GitHub spells them."""
    if not is_repository(name):
        raise ValueError("expected a repository such as acme/shop")
    return name


def _place(name: str) -> re.Match[str] | None:
    """The parts of a repository of a registry; None for what is none."""
    return _PLACE.fullmatch(name) if len(name) <= _LONGEST_PLACE else None


def is_reference(value: str) -> bool:
    """Whether `value` names an image of a registry."""
    name, at, digest = value.partition("@")
    place, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:  # that colon stands before a port
        place, tag = name, "latest"
    return bool(_place(place) and _TAG.fullmatch(tag) and (not at or _DIGEST.fullmatch(digest)))


def _without_tag(reference: str) -> str:
    name = reference.partition("@")[0]
    place, colon, tag = name.rpartition(":")
    return place if colon and "/" not in tag else name


def direct_image(text: str, registries: Collection[str]) -> "Image":
    """The image of a registry that `text` names itself; ValueError where it may not.

    `registries` are hosts, with their port if they have one, as they have to be written.
    """
    place = _place(_without_tag(text)) if is_reference(text) else None
    if place is None:
        raise ValueError("expected the name of an image, or one of a registry such as ghcr.io/acme/tools:1.4")
    host = place["host"]
    if host is None:
        raise ValueError("an image of a registry is named with its host, such as docker.io/library/alpine:3")
    if host not in registries:
        listed = f"those are {', '.join(registries)}" if registries else "there are none"
        raise ValueError(f"{host} is none of the registries that api.registries lists: {listed}")
    return Image(name=text, reference=text)


def _image_name(value: str) -> str:
    return value if "/" in value and is_reference(value) else image_name(value)


def _reference(value: str) -> str:
    if not is_reference(value):
        raise ValueError("expected an image of a registry, such as ghcr.io/acme/tools:1.4")
    return value


def _push(value: str) -> str:
    place = _place(value)
    if place is None or place["host"] in (None, "localhost"):  # that host is what engines keep themselves
        raise ValueError(
            "expected a repository with the host of its registry, without a tag, such as ghcr.io/acme/shop"
        )
    return value


def _workload(value: str) -> str:
    found = _CLUSTERED.fullmatch(value)
    if not _WORKLOAD.fullmatch(value) and (found is None or not is_object_name(found["name"])):
        raise ValueError(
            "expected container/NAME, a container that runs on this machine, or on Kubernetes deployment/NAME"
            f" ({', '.join(CLUSTERED[1:-1])} and {CLUSTERED[-1]} too)"
        )
    return value


def _label(value: str) -> str:
    if not re.fullmatch(LABEL, value):
        raise ValueError("expected a name of small letters, digits and - (at most 63)")
    return value


def _inside(value: str) -> str:
    """A path within the checkout; whether a link leads out of it only the build can tell."""
    parts = value.split("/")
    if not 1 <= len(value) <= 1024 or value.startswith("/") or ".." in parts or not value.isprintable():
        raise ValueError("expected a path within the checkout, without / in front and without ..")
    return value


def _target(value: str) -> str:
    if not re.fullmatch(_TARGET, value):
        raise ValueError("expected the name of a stage of the Dockerfile")
    return value


def _variable(value: str) -> str:
    if not re.fullmatch(_NAME, value):
        raise ValueError("expected a name of letters, digits and _ that does not begin with a digit")
    return value


def _argument(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueError('expected a text; put it in quotes, such as "true" or "3.10"')
    if "\0" in value or len(value) > _VALUE_LIMIT:
        raise ValueError(f"expected at most {_VALUE_LIMIT} characters without NUL")
    return value


def _once(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(value)) < len(value):
        raise ValueError("expected every name once")
    return value


def _pattern(value: str) -> str:
    if not 1 <= len(value) <= 200 or not value.isprintable():
        raise ValueError("expected a pattern of at most 200 characters, such as main, release/* or src/**")
    return value


def _some(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise ValueError("expected at least one pattern; without the key every path counts")
    return value


Label = Annotated[str, AfterValidator(_label), Form(LABEL)]
"""A name as RFC 1123 has them for one part of a host name: a namespace, a container."""
Reference = Annotated[str, AfterValidator(_reference), Form(r"^[A-Za-z0-9\[]\S*$")]
Repository = Annotated[str, AfterValidator(_push), Form(r"^[^\s/]+/[^\s@]+$")]
"""A repository of a registry, without a tag."""
Patterns = Annotated[
    tuple[Annotated[str, AfterValidator(_pattern), Form("^.{1,200}$")], ...], Field(max_length=100)
]
Name = Annotated[str, AfterValidator(_variable), Form(_NAME)]
Inside = Annotated[str, AfterValidator(_inside), Form("^[^/]")]


class BuildFrom(Definition):
    """How an image is built from a repository. `branches` None: the default branch rebuilds it.

    `bot.handlers.push_filters` says what `branches`, `tags` and `paths` make of a push. `setup` is for the
    process engine, `context`, `dockerfile`, `target`, `arguments` and `secrets` (names of variables that
    Errand has) are for those with containers.
    """

    repository: Annotated[str, AfterValidator(repository_name), Form(_REPOSITORY)]
    branches: Patterns | None = None
    tags: Patterns = ()
    paths: Annotated[Patterns, AfterValidator(_some), Field(json_schema_extra={"minItems": 1})] = ()
    setup: Script | None = None
    context: Inside = "."
    dockerfile: Inside = "Dockerfile"
    target: Annotated[str, AfterValidator(_target), Form(_TARGET)] | None = None
    arguments: Annotated[
        dict[Name, Annotated[str, BeforeValidator(_argument, json_schema_input_type=str | int)]],
        Field(max_length=100),
    ] = Field(default_factory=dict)
    secrets: Annotated[
        tuple[Name, ...],
        Field(max_length=100, json_schema_extra={"uniqueItems": True}),
        AfterValidator(_once),
    ] = ()
    timeout: Annotated[Duration, between(1, DAY)] = 1800.0


class Image(Definition):
    """What a job runs in: exactly one of `build`, `reference` and `workload`.

    One that a job of the API names itself is called as its `reference` was there.
    `namespace` and `container` say more of a `workload` of Kubernetes: where it is, None for the namespace of
    runs, and which of its containers is meant, None for the first.
    """

    model_config = ConfigDict(json_schema_extra={"oneOf": [with_keys(form) for form in _FORMS]})

    name: Annotated[str, AfterValidator(_image_name), Form(LABEL)]
    build: BuildFrom | None = None
    reference: Reference | None = None
    workload: (
        Annotated[str, AfterValidator(_workload), Form(f"^(?:container|{'|'.join(CLUSTERED)})/.")] | None
    ) = None
    namespace: Label | None = None
    container: Label | None = None
    push: Repository | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        forms = [form for form in _FORMS if getattr(self, form) is not None]
        if not forms:
            raise ValueError("build, reference or workload is required")
        if len(forms) > 1:
            raise ValueError(f"either {' or '.join(forms)}; an image comes from one place")
        if "/" in self.name and (self.reference is None or self.registry != _without_tag(self.name)):
            raise ValueError("only an image of a registry is called as what it is")
        if self.push is not None and self.build is None:
            raise ValueError("push is for an image that is built; this one is not")
        for key in _OF_A_WORKLOAD:
            if getattr(self, key) is not None and self.workload is None:
                raise ValueError(f"{key} is for an image that comes from a workload; this one does not")
        return self

    @property
    def repository(self) -> str | None:
        """The repository of which it is built; None for an image that is not built."""
        return None if self.build is None else self.build.repository

    @property
    def registry(self) -> str | None:
        """The repository of a registry whose tags a job may run instead; None where there is none."""
        return self.push if self.reference is None else _without_tag(self.reference)

    def tagged(self, tag: str) -> "Image":
        """The image as that tag of its own repository; ValueError for what is no tag, or without one."""
        if self.registry is None:
            raise ValueError("this image is in no registry, so it has no tags")
        if not _TAG.fullmatch(tag):
            raise ValueError("expected a tag such as 1.4 or main: letters, digits, _, . and - (at most 128)")
        return Image(name=self.name, reference=f"{self.registry}:{tag}")

    @property
    def recipe(self) -> dict[str, Any]:
        """What a build of it is made by, as it is stored: without what only says when it is made."""
        absent: dict[str, Any] = dict.fromkeys(_OF_A_WORKLOAD, True)
        return self.model_dump(mode="json", exclude=absent | {"build": {"branches", "tags", "paths"}})

    @property
    def frozen(self) -> dict[str, Any]:
        """All of it as it is stored with a run; what only some workloads have is left out where it is None.

        What was stored before there were namespaces is thereby still the same.
        """
        absent = {key for key in _OF_A_WORKLOAD if getattr(self, key) is None}
        return self.model_dump(mode="json", exclude=absent)

    @property
    def live(self) -> Live | None:
        """The workload that it comes from; None for an image of another form."""
        return None if self.workload is None else Live(self.workload, self.namespace, self.container)

    @property
    def origin(self) -> str:
        """Where it comes from, in one text: `acme/shop`, `ghcr.io/acme/tools:1`, `deployment/web in prod`."""
        where = f" in {self.namespace}" if self.namespace else ""
        which = f" ({self.container})" if self.container else ""
        return self.repository or self.reference or f"{self.workload}{where}{which}"
