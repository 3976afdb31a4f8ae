"""Labels and annotations of all that Errand makes, and values made fit for them. Pure.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
"""

import re
from collections.abc import Mapping
from typing import Literal

from executor.kubernetes.resources import ERRAND, INSTALLATION, KEY, MANAGED_BY, MASKED, STOP
from executor.spec import About

NAME = "app.kubernetes.io/name"
COMPONENT = "app.kubernetes.io/component"

Component = Literal["run", "build"]

_ODD = re.compile(r"[^A-Za-z0-9_.-]+")
_LONGEST = 63
_TEXT = 4096
"""Characters of an annotation; all annotations of an object may have 256 KiB."""
_MOST = 16
"""Labels and annotations that an `About` may have of its own."""


def labels(name: str, about: About, installation: str, component: Component) -> dict[str, str]:
    """Give the labels of what is called `name`.

    The name is `errand-run`, not that of the job or of Errand itself, whose Services select pods by it.
    """
    return {
        **{_name(label): fit(value) for label, value in _some(about.labels)},
        NAME: f"{ERRAND}-{component}",
        COMPONENT: component,
        MANAGED_BY: ERRAND,
        INSTALLATION: fit(installation),
        KEY: name,
    }


def annotations(key: str, about: About) -> dict[str, str]:
    """Give the annotations of what belongs to `key`."""
    told = {_name(name): _text(value) for name, value in _some(about.annotations)}
    for ours in (STOP, MASKED):
        told.pop(ours, None)
    return {**told, KEY: key}


def fit(value: str) -> str:
    """Give the value of a label that is as much like `value` as one may be; it may be empty."""
    return _ODD.sub("_", value)[:_LONGEST].strip("_.-")


def _name(name: str) -> str:
    return f"{ERRAND}/{fit(name) or 'x'}"


def _some(named: Mapping[str, str]) -> list[tuple[str, str]]:
    return list(named.items())[:_MOST]


def _text(value: str) -> str:
    return value.encode(errors="replace").decode()[:_TEXT]
