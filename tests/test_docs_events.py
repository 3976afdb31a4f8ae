"""The table of the log's events in docs/operations.md: what the code says is in it, and nothing else."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = [
    ROOT / "service.py",
    ROOT / "errand.py",
    *(file for room in ("bot", "webhooks", "executor", "terminal") for file in (ROOT / room).rglob("*.py")),
]
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
LOGGERS = {"log", "_log", "logger"}
FORWARDERS = {"_log_once": "{}", "patiently": "{}.failed"}
"""Functions whose first word becomes an event, and which."""

MADE = {
    ("bot/posting/outbox.py", "f'post.{outcome}'"): {"post.refused", "post.given_up"},
    ("bot/workers/patience.py", "f'{what}.failed'"): set[str](),
    ("bot/workers/worker.py", "event"): {
        "build.building",
        "build.finished",
        "run.starting",
        "run.running",
        "run.stopping",
        "run.finished",
    },
}
"""Events that are put together where they are said; those of forwarders are found by themselves."""


def _calls(file: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and node.args:
            yield node


def _events(file: Path) -> Iterator[str]:
    """What this file says in the log."""
    place = str(file.relative_to(ROOT))
    for call in _calls(file):
        function, first = call.func, call.args[0]
        name = getattr(function, "id", None) or getattr(function, "attr", "")
        if name in FORWARDERS and isinstance(first, ast.Constant):
            yield FORWARDERS[name].format(first.value)
        if not isinstance(function, ast.Attribute) or name not in LEVELS:
            continue
        if not isinstance(function.value, ast.Name) or function.value.id not in LOGGERS:
            continue
        if isinstance(first, ast.Constant):
            yield str(first.value)
        else:
            known = MADE.get((place, ast.unparse(first)))
            assert known is not None, f"{place}:{call.lineno}: which events is that? Say so in MADE."
            yield from known


def _documented() -> list[str]:
    text = (ROOT / "docs" / "operations.md").read_text()
    table = text.partition("| event | meaning |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (`.+?`) \|", table, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def test_every_event_of_the_log_is_documented_once_and_no_other() -> None:
    said = {event for file in FILES for event in _events(file)}
    documented = _documented()
    assert sorted(said - set(documented)) == [], "docs/operations.md does not tell of these"
    assert sorted(set(documented) - said) == [], "nothing says these"
    assert len(documented) == len(set(documented))
