"""Slack's published types, and everything that a run of tests has sent to stand-ins for Slack.

The types come from npm (`@slack/types`, `@slack/web-api`) and are asked by `tsc`, once at the end of the
run: each worker hands over what it has seen, every shape once. Not checked without npm, an error in CI.

What a stand-in sends is theirs too: an `event` is what Slack would send, but for the `event_ts` that the
types forget here and there.

The types are wider than Slack in two places, and are narrowed here: wherever blocks stand any object with a
`type` would do (`Block`), and what is sent to a response URL has none. `data_visualization`, younger than
these types, is declared from its page.
"""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo.slack import SlackStandIn
from tests import npm

PACKAGES = ("@slack/types@3.2.0", "@slack/web-api@8.2.0", "typescript@7.0.2")
SECONDS = 120.0
SHOWN = 400  # characters of what does not fit

_PRELUDE = """\
import type * as T from '@slack/types';
import type * as W from '@slack/web-api';
type Point = { label: string; value: number };
type Plot = { type: 'bar' | 'area' | 'line'; series: { name: string; data: Point[] }[];
  axis_config: { categories: string[]; x_label?: string; y_label?: string } };
type Chart = { type: 'data_visualization'; block_id?: string; title: string;
  chart: Plot | { type: 'pie'; segments: Point[] } };
type Known = T.KnownBlock | Chart;
type Modal = Omit<T.ModalView, 'blocks'>;
type Home = Omit<T.HomeView, 'blocks'>;
type ResponseUrl = { text?: string; response_type?: 'ephemeral' | 'in_channel'; replace_original?: boolean;
  delete_original?: boolean; thread_ts?: string; unfurl_links?: boolean; unfurl_media?: boolean };
type ResponseAction = { response_action: 'clear' } | { response_action: 'update' | 'push' }
  | { response_action: 'errors'; errors: Record<string, string> };
type Suggestion = { options: T.PlainTextOption[] }
  | { option_groups: { label: T.PlainTextElement; options: T.PlainTextOption[] }[] };
"""
_OWN = {
    "response_url": "ResponseUrl",
    "response_action": "ResponseAction",
    "block_suggestion": "Suggestion",
    "modal": "Modal",
    "home": "Home",
    "block": "Known",
    "event": "T.SlackEvent & { event_ts?: string }",
}
_VALUES = frozenset(
    {
        *("type", "style", "level", "align", "range", "response_type", "response_action"),
        *("trigger_actions_on", "bot", "bot_events"),
    }
)
"""Keys whose strings are of the type themselves, so that two of them are two shapes."""
_NUMBERS = frozenset({"limit"})
_FLAGS = ("true", "false", "1", "0")
_NO_FLAGS = frozenset({"text", "query", "cursor", "email", "user", "hash"})


@dataclass(frozen=True, slots=True)
class Piece:
    """Something that has one type: what it is, the value, and the test that it comes from."""

    kind: str
    value: Any
    test: str

    @property
    def type(self) -> str:
        """Its type in TypeScript: of the arguments of a method, after its name."""
        words = re.split(r"[._]", self.kind)
        name = "".join(word[:1].upper() + word[1:] for word in words)
        return _OWN.get(self.kind) or f"W.{name}Arguments"


class Collection:
    """What was seen so far, every shape once."""

    def __init__(self) -> None:
        self.pieces: dict[str, Piece] = {}

    def hear(self, kind: str, body: dict[str, Any]) -> None:
        """Take what a stand-in has accepted apart, and keep what is new."""
        test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0]
        for part, value in _parts(kind, body):
            shape = f"{part} {json.dumps(_shape(value), sort_keys=True)}"
            if shape not in self.pieces:
                # A copy: what was sent may be changed by who holds it.
                self.pieces[shape] = Piece(part, json.loads(json.dumps(value)), test)

    def handed_over(self) -> list[list[Any]]:
        """All of it for another process, as plain lists."""
        return [[shape, each.kind, each.value, each.test] for shape, each in self.pieces.items()]

    def take_over(self, pieces: Iterable[list[Any]]) -> None:
        """What another process has seen."""
        for shape, kind, value, test in pieces:
            self.pieces.setdefault(shape, Piece(kind, value, test))


class AtTheEnd:
    """A plugin of pytest: hears all stand-ins, and asks once when all tests of all workers are done."""

    def __init__(self) -> None:
        self.collection = Collection()
        self.complaint = ""
        SlackStandIn.listeners.append(self.collection.hear)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker has seen."""
        self.collection.take_over(getattr(node, "workeroutput", {}).get("slack", []))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand it over, or ask; what does not fit fails the run."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["slack"] = self.collection.handed_over()
        elif self.collection.pieces:
            misfits = check(self.collection.pieces.values())
            unasked = isinstance(misfits, str)
            self.complaint = misfits if isinstance(misfits, str) else "\n".join(misfits)
            if self.complaint and (not unasked or os.environ.get("CI")):
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show what does not fit, or why nobody knows."""
        if self.complaint:
            terminalreporter.section("what Slack's published types say of what was sent")
            terminalreporter.line(self.complaint)


def _parts(kind: str, body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The body, and every block and view in it, each with the kind that says its type."""
    value = {name: _native(name, each) for name, each in body.items() if name != "token"}
    strict = kind in _OWN
    for block in _blocks(value):
        yield "block", block
    view = value.get("view")
    if isinstance(view, dict):
        yield view["type"], {name: each for name, each in view.items() if name != "blocks"}
    if strict:
        value = {name: each for name, each in value.items() if name not in ("blocks", "view")}
    else:
        value = json.loads(json.dumps(value), object_hook=_without_blocks)
    yield kind, value


def _blocks(value: Any) -> Iterator[Any]:
    """All blocks of a message, a view or unfurls."""
    for name, each in value.items() if isinstance(value, dict) else ():
        if name == "blocks" and isinstance(each, list):
            yield from each
        else:
            yield from _blocks(each)


def _without_blocks(value: dict[str, Any]) -> dict[str, Any]:
    """The same with one block of the simplest kind where there are any, since those are asked alone."""
    simple = [{"type": "divider"}]
    return {name: simple if name == "blocks" and each else each for name, each in value.items()}


def _native(name: str, value: Any) -> Any:
    """An argument as it is in JSON, where it came in a form."""
    if not isinstance(value, str):
        return value
    if name in _NUMBERS and value.isdecimal():
        return int(value)
    return value in ("true", "1") if value in _FLAGS and name not in _NO_FLAGS else value


def _shape(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _shape(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(_shape(each, key), sort_keys=True) for each in value})
    if isinstance(value, str):
        return value if key in _VALUES else "text"
    return type(value).__name__


def check(pieces: Iterable[Piece]) -> list[str] | str:
    """What does not fit Slack's types: what it is, where it comes from and why. Or why nobody knows."""
    modules = npm.installed("slack-types", *PACKAGES)
    if isinstance(modules, str):
        return modules
    known = list(pieces)
    lines = [f"export const p{n} = {_literal(each)};" for n, each in enumerate(known)]
    with tempfile.TemporaryDirectory(dir=modules.parent) as place:
        file = Path(place, "pieces.ts")
        file.write_text(_PRELUDE + "\n".join(lines) + "\n")
        done = _compile(modules, file)
    misfits = [_misfit(known, line) for line in done.stdout.splitlines() if re.match(r"\S+\(\d+,\d+\)", line)]
    if done.returncode and not misfits:
        return f"tsc failed: {done.stdout[-500:]}{done.stderr[-500:]}"
    return misfits


def _literal(piece: Piece) -> str:
    return f"{json.dumps(piece.value)} satisfies {piece.type}"


def _compile(modules: Path, file: Path) -> subprocess.CompletedProcess[str]:
    options = ["--noEmit", "--strict", "--skipLibCheck", "--pretty", "false", "--types", "node"]
    return subprocess.run(
        [
            modules / ".bin" / "tsc",
            *options,
            "--moduleResolution",
            "bundler",
            "--module",
            "esnext",
            file.name,
        ],
        cwd=file.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


def _misfit(pieces: list[Piece], line: str) -> str:
    place, _, why = line.partition(": ")
    row = int(place.partition("(")[2].partition(",")[0])
    piece = pieces[row - 1 - _PRELUDE.count("\n")]
    text = json.dumps(piece.value, ensure_ascii=False)[:SHOWN]
    return f"{piece.kind} in {piece.test or 'no test'}: {why}\n    {text}"
