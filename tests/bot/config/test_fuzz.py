"""Whatever stands in the file, `load` gives a configuration or raises ConfigError, and leaks nothing."""

import re
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.catalog.catalog import Job
from bot.config import load
from bot.errors import ConfigError

WORDS = "jobs images github defaults command env parameters timeout a shop build default type integer pattern"
MARKUP = [
    ": ",
    ":\n",
    "\n",
    "\n  ",
    "\n    ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "'",
    '"',
    "#",
    "&a ",
    "*a",
    "|",
    "<<",
]
pieces = st.sampled_from(
    [*WORDS.split(), "notify", "${PASSWORD}", "${", "$$", "1", "true", "~", "!!int ", *MARKUP]
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | pieces
names = pieces | st.text(max_size=4)
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4)
)


def _flow(value: Any) -> str:
    """A value as YAML's flow form."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(str(key))}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str):
        return "'" + re.sub(r"[^\x20-\x7e]", "?", value).replace("'", "''") + "'"
    return {None: "null", True: "true", False: "false"}.get(value, repr(value))


sections = st.sampled_from(
    [
        "jobs",
        "images",
        "github",
        "slack",
        "logs",
        "limits",
        "engine",
        "defaults",
        "url",
        "database",
        "command",
    ]
)


def _never_raises_otherwise(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    told = ""
    try:
        for job in (config := load(file, {"PASSWORD": "hunter22"})).jobs.values():
            config.environment(job)
    except ConfigError as error:
        told = str(error)
    assert "hunter22" not in told
    assert all(line.startswith(str(file)) for line in told.split("\n") if told)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=100) | st.lists(pieces, max_size=40).map(lambda parts: "".join(parts).encode()))
def test_any_bytes_are_a_configuration_or_mistakes(file: Path, content: bytes) -> None:
    _never_raises_otherwise(file, content)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(sections, trees, max_size=3))
def test_any_tree_is_a_configuration_or_mistakes(file: Path, tree: dict[str, Any]) -> None:
    _never_raises_otherwise(file, _flow(tree).encode())


definitions = st.dictionaries(st.sampled_from([*Job.model_fields, "on", "x"]), trees, max_size=5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(names, definitions, max_size=3), definitions)
def test_any_job_is_a_job_or_mistakes(file: Path, jobs: dict[str, Any], defaults: dict[str, Any]) -> None:
    _never_raises_otherwise(file, _flow({"jobs": jobs, "defaults": defaults}).encode())
