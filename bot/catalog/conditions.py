"""What a job may say about with what it runs: resources, secrets, files. Pure."""

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)

from bot.catalog.patterns import DURATION, SIZE, SOME, Form, Within
from bot.text.units import duration_text, seconds, size
from executor.spec import Reference

DAY = 86400.0

SCRIPT_LIMIT = 65536
"""Bytes of one command or setup script."""

_FILE_LIMIT = 256 * 1024
"""Bytes of one file that is placed into a job."""

_FILES, _ALL_FILES = 100, 1024 * 1024
"""How many files one job has at most, and their bytes together."""

_LEAST_MEMORY, _MOST_MEMORY = 4 << 20, 16 << 40


def between(least: float, most: float) -> Within:
    """A check that a number of seconds lies within these bounds."""
    return Within(least, most, f"expected a duration from {duration_text(least)} to {duration_text(most)}")


def _seconds(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("expected a duration such as 30s, 15m, 1h30m or 2d")
    return seconds(value) if isinstance(value, str) else value


Duration = Annotated[
    float,
    BeforeValidator(_seconds),
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "pattern": DURATION,
            "description": "Seconds, or a text such as `15m`, `1h30m` or `2d`.",
        }
    ),
]


class Definition(BaseModel):
    """A part of `app.yaml` that is stored with runs: frozen, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def script(value: str) -> str:
    """`value` if a shell can be given it as a whole."""
    if not value.strip():
        raise ValueError("expected a command")
    if "\0" in value or len(value.encode(errors="replace")) > SCRIPT_LIMIT:
        raise ValueError(f"expected at most {SCRIPT_LIMIT} bytes without NUL characters")
    return value


Script = Annotated[str, AfterValidator(script), Form(SOME)]


OBJECT_NAME = "^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$"
"""`is_object_name` as a pattern for JSON Schema."""
_KEY = "^[A-Za-z0-9._-]{1,253}$"
_OBJECT = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.ASCII)


def is_object_name(name: str) -> bool:
    """Whether most objects of Kubernetes can be called so: a DNS subdomain (RFC 1123)."""
    return len(name) <= 253 and bool(_OBJECT.fullmatch(name))


def _secret_name(value: str) -> str:
    if not is_object_name(value):
        raise ValueError("expected the name of a secret, such as shop-db")
    return value


def _secret_key(value: str) -> str:
    if not re.fullmatch(_KEY, value, re.ASCII):
        raise ValueError("expected the name of a key in the secret, such as url")
    return value


def _configmap_name(value: str) -> str:
    if not is_object_name(value):
        raise ValueError("expected the name of a ConfigMap, such as shop-settings")
    return value


class ConfigMapReference(Definition):
    """A value that only Kubernetes knows: `key` of the ConfigMap `configmap`. It is no secret."""

    configmap: Annotated[str, AfterValidator(_configmap_name), Form(OBJECT_NAME)]
    key: Annotated[str, AfterValidator(_secret_key), Form(_KEY)]

    @property
    def reference(self) -> Reference:
        """The same in the words of the engine."""
        return Reference("configmap", self.configmap, self.key)


class SecretReference(Definition):
    """A value that only the engine knows: `key` of the secret `secret`."""

    secret: Annotated[str, AfterValidator(_secret_name), Form(OBJECT_NAME)]
    key: Annotated[str, AfterValidator(_secret_key), Form(_KEY)]

    @property
    def variable(self) -> str:
        """The environment variable of Errand that has it where the engine knows no secrets: `SHOP_DB_URL`."""
        return re.sub(r"[^A-Z0-9]", "_", f"{self.secret}_{self.key}".upper())

    @property
    def reference(self) -> Reference:
        """The same in the words of an engine that knows secrets."""
        return Reference("secret", self.secret, self.key)


def variable_value(value: object) -> object:
    """A variable of a job as it is kept: its text, or where its value is."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, Mapping):
        return _elsewhere(value)
    if isinstance(value, SecretReference | ConfigMapReference):
        return value
    if not isinstance(value, str):
        raise ValueError('expected a text; put it in quotes, such as "true" or "1.10"')
    if "\0" in value:
        raise ValueError("expected a text without NUL characters")
    return value


_Value = str | int | SecretReference | ConfigMapReference
"""What may be written for a variable."""


def _elsewhere(value: Mapping[object, object]) -> SecretReference | ConfigMapReference:
    of_configmap = "configmap" in value
    example = "a value from a secret is {secret: shop-db, key: url}"
    if of_configmap:
        example = "a value from a ConfigMap is {configmap: shop-settings, key: url}"
    try:
        if of_configmap:
            return ConfigMapReference.model_validate(dict(value))
        return SecretReference.model_validate(dict(value))
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        cause = detail.get("ctx", {}).get("error")
        raise ValueError(example + (f"; {cause}" if cause else "")) from None


Variable = Annotated[
    str | SecretReference | ConfigMapReference, BeforeValidator(variable_value, json_schema_input_type=_Value)
]


def _cores(value: object) -> float:
    text = str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    match = re.fullmatch(r"(\d{1,6})m|(\d{1,4}(?:\.\d{1,3})?)", text, re.ASCII)
    cores = 0.0 if match is None else int(match[1]) / 1000 if match[1] else float(match[2])
    if not 0 < cores <= 1024:
        raise ValueError("expected cores such as 250m or 2")
    return cores


def _memory(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("expected a size such as 256Mi or 2Gi")
    found = size(value) if isinstance(value, str) else value
    if not _LEAST_MEMORY <= found <= _MOST_MEMORY:
        raise ValueError("expected a size from 4Mi to 16384Gi")
    return found


_Cores = (
    Annotated[float, Field(gt=0, le=1024)]
    | Annotated[str, Form(r"^(?:[0-9]{1,6}m|[0-9]{1,4}(?:\.[0-9]{1,3})?)$")]
)
_Memory = Annotated[int, Field(ge=_LEAST_MEMORY, le=_MOST_MEMORY)] | Annotated[str, Form(SIZE)]
"""What may be written for them."""


class Resources(Definition):
    """What a run may use: cores as `250m` or `2`, bytes as `256Mi`, whole GPUs."""

    cpu: Annotated[float, BeforeValidator(_cores, json_schema_input_type=_Cores)] | None = None
    memory: Annotated[int, BeforeValidator(_memory, json_schema_input_type=_Memory)] | None = None
    gpu: Annotated[int, Field(ge=0, le=64)] = 0


def _file_path(value: str) -> str:
    parts = value.strip("/").split("/")
    if not 1 <= len(value) <= 1024 or any(part in ("", ".", "..") for part in parts) or "\0" in value:
        raise ValueError("expected the path of a file, without . and .., such as etc/shop.ini")
    return value


def _file_text(value: str) -> str:
    if "\0" in value or len(value.encode(errors="replace")) > _FILE_LIMIT:
        raise ValueError(f"expected a text of at most {_FILE_LIMIT // 1024} KiB without NUL characters")
    return value


def _files(value: dict[str, str]) -> dict[str, str]:
    places: set[str] = set()
    for path in value:
        place = path.strip("/")
        if place in places:
            raise ValueError(f"{place} is given twice")
        places.add(place)
    for place in places:
        if any(other.startswith(f"{place}/") for other in places):
            raise ValueError(f"{place} cannot be both a file and a directory")
    if len(value) > _FILES or sum(len(text.encode(errors="replace")) for text in value.values()) > _ALL_FILES:
        raise ValueError(f"expected at most {_FILES} files of together at most {_ALL_FILES // 1024} KiB")
    return value


Files = Annotated[
    dict[Annotated[str, AfterValidator(_file_path)], Annotated[str, AfterValidator(_file_text)]],
    AfterValidator(_files),
    Field(json_schema_extra={"maxProperties": _FILES}),
]
