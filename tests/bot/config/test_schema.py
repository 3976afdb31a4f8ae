"""`errand schema` says what the loader says; `tests/bot/conftest.py` compares both on every file."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from bot.config.document import read
from bot.config.schema import DIALECT, schema

ROOT = Path(__file__).parents[3]
SCHEMA = schema()
CHECK = jsonschema_rs.validator_for(SCHEMA)
WHOLE = sorted(
    [ROOT / "app.yaml", *(ROOT / "tests" / "flows").glob("*/app.yaml"), ROOT / "tests/flows/app.yaml"]
)


def test_it_is_a_schema_of_the_draft_that_it_names() -> None:
    assert SCHEMA["$schema"] == DIALECT
    jsonschema_rs.meta.validate(SCHEMA)


def _sections(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every key with its schema, by its path."""
    for key, inner in node.get("properties", {}).items():
        yield f"{path}{key}", inner
        yield from _sections(inner, f"{path}{key}.")
    if isinstance(node.get("additionalProperties"), dict):
        yield from _sections(node["additionalProperties"], f"{path}NAME.")
    for form in node.get("anyOf", ()):
        yield from _sections(form, path)


KEYS = {key: node for key, node in _sections(SCHEMA) if ".pod." not in key}


def test_the_length_of_a_text_bounds_no_list() -> None:
    assert [key for key, node in KEYS.items() if "maxLength" in node and node.get("type") != "string"] == []


def test_every_key_is_described() -> None:
    assert len(KEYS) > 150
    assert [key for key, node in KEYS.items() if not node.get("description")] == []


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: str(path.relative_to(ROOT)))
def test_file_is_right_by_the_schema(path: Path) -> None:
    assert [str(each) for each in CHECK.iter_errors(read(path.read_bytes()).data)] == []


def _refused(text: str) -> bool:
    return not CHECK.is_valid(read(text.encode()).data)


@pytest.mark.parametrize(
    "text",
    [
        "jobs: {a: {command: x, timeout: soon}}",
        "jobs: {a: {command: x, timeout: 8d, retries: eleven}}",
        "jobs: {a: {command: x, parameters: {A: {default: '${PASSWORD}'}}}}",
        "jobs: {a: {command: x, parameters: {1A: {}}}}",
        "jobs: {A: {command: x}}",
        "jobs: {a: {image: shop}}",
        "url: errand.example.com",
        "github: {}",
        "github: {token: x, app_id: 1, private_key: '-----BEGIN PRIVATE KEY-----'}",
        "images: {a: {reference: x, build: {repository: a/b}}}",
        "images: {a: {build: {repository: shop}}}",
        "engine: {kubernetes: {pod: {tolerations: {key: x}}}}",
        "engine: {kubernetes: {pod: {restartPolicy: Never}}}",
        "defaults: {naem: x}",
    ],
)
def test_what_the_loader_refuses_is_refused(text: str) -> None:
    assert _refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jobs:",
        "defaults: {command: x}\njobs: {a: {}}",
        "limits: {runs: '${RUNS}', body: '${BODY:-1Mi}'}",
        "engine: {kind: '${KIND:-process}'}",
        "jobs: {a: {command: 'echo ${X}', description: '${X}', retries: '3', read_only: '${RO:-no}'}}",
    ],
)
def test_what_the_environment_gives_may_stand_anywhere_that_it_is_replaced(text: str) -> None:
    assert not _refused(text) or read(text.encode()).data is None


def test_defaults_are_written_as_people_write_them() -> None:
    shown = {key: KEYS[key]["default"] for key in ("jobs.NAME.timeout", "logs.max_size", "database", "url")}
    assert re.sub(r"[{}']", "", str(shown)) == (
        "jobs.NAME.timeout: 15m, logs.max_size: 64Mi, database: sqlite:///errand.db, url: http://127.0.0.1:8000"
    )
