"""Configuration of tests, changed by its keys: what is changed is there, however the file is written."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


def content(text: str) -> dict[str, Any]:
    """What a file with this text says."""
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return found


def merged(text: str, **keys: object) -> str:
    """A file that says the same but for these keys of the first level, which `text` has."""
    before = content(text)
    assert keys.keys() <= before.keys()
    return json.dumps(before | keys)


@contextmanager
def changing(file: Path) -> Iterator[dict[str, Any]]:
    """What the file says, which is written anew at the end of the block."""
    said = content(file.read_text())
    yield said
    file.write_text(json.dumps(said))
