"""Reasons are sentences with what to do, and every code word that the engines say has one."""

import re
from pathlib import Path

import pytest

from bot.messages import run_view
from bot.messages.reasons import REASONS, explained, message
from tests.bot.messages.rows import build, run

_SAID = re.compile(
    r'(?:reason=|[^_]error\(|reason": |refused\(place, |BuildFailed\()"([A-Z][a-z]+[A-Za-z]+)"'
)


def test_every_code_word_of_the_engines_is_explained() -> None:
    text = "".join(path.read_text() for room in ("executor", "bot") for path in Path(room).rglob("*.py"))
    words = set(_SAID.findall(text)) - {"ImageFailed"}  # which becomes `BuildFailed`
    assert len(words) > 15
    assert words - set(REASONS) == set()


def test_every_code_word_of_the_docs_is_explained_and_the_other_way_round() -> None:
    _, table = Path("docs/engines.md").read_text().split("| reason | meaning |")
    rows = [line.split("|")[1] for line in table.partition("\n\n")[0].splitlines()[2:]]
    assert {word for row in rows for word in re.findall(r"`(\w+)`", row)} == set(REASONS)


@pytest.mark.parametrize(
    ("reason", "message", "definition", "words"),
    [
        (None, None, {}, None),
        (None, "words", {}, "words"),
        (
            "DeadlineExceeded",
            None,
            {"timeout": 20.0},
            "`timeout: 20s` in app.yaml was reached. Raise it if that is how long it takes. "
            "(DeadlineExceeded)",
        ),
        (
            "DeadlineExceeded",
            None,
            {},
            "`timeout` in app.yaml was reached. Raise it if that is how long it takes. (DeadlineExceeded)",
        ),
        ("Superseded", None, {}, "A newer push took its place. (Superseded)"),
        ("OfTomorrow", None, {}, "(OfTomorrow)"),
        ("OfTomorrow", "it rains", {}, "it rains. (OfTomorrow)"),
        ("Evicted", "Disk pressure.", {}, "Disk pressure. " + REASONS["Evicted"].advice + " (Evicted)"),
    ],
)
def test_reason_is_a_sentence_with_the_code_word_behind_it(
    reason: str | None, message: str | None, definition: dict[str, object], words: str | None
) -> None:
    assert explained(reason, message, definition) == words


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ({"resources": {"memory": 512 << 20}}, "Memory is limited to 512Mi."),
        ({"resources": {"memory": None}}, "It was killed at its memory limit of 512 MiB."),
        ({}, "It was killed at its memory limit of 512 MiB."),
    ],
)
def test_memory_limit_is_said_as_it_is_written_in_the_definition(
    definition: dict[str, object], words: str
) -> None:
    advice = "Raise `size` or `resources.memory`, or let it use less."
    said = explained("OOMKilled", "It was killed at its memory limit of 512 MiB.", definition, 137)
    assert said == f"{words} {advice} (OOMKilled)"


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        ({"memory": 64 << 30, "cpu": 8.0, "gpu": 1}, "It asks for memory 64Gi, cpu 8, gpu 1. "),
        ({"memory": None, "cpu": 0.25, "gpu": 0}, "It asks for cpu 0.25. "),
        (None, ""),
    ],
)
def test_what_finds_no_room_says_what_it_asks_for(resources: dict[str, object] | None, words: str) -> None:
    said = explained("Unschedulable", "0/3 nodes are available.", {"resources": resources})
    advice = "Ask for less (`size` or `resources`), or add a node. (Unschedulable)"
    assert said == f"0/3 nodes are available. {words}{advice}"


@pytest.mark.parametrize(
    ("code", "message", "words"),
    [
        (1, None, None),
        (2, "words", "words"),
        (126, None, "cannot be executed"),
        (127, "sh: exec: migrat: not found", "migrat: not found. See to its name"),
        (137, None, "not by Errand"),
        (139, None, "SIGSEGV"),
        (143, None, "Run it again"),
    ],
)
def test_exit_code_that_a_shell_or_a_signal_gave_is_explained(
    code: int, message: str | None, words: str | None
) -> None:
    said = explained(None, message, {}, code)
    assert (said is None) if words is None else (words in (said or ""))


@pytest.mark.parametrize("result", ["cancelled", "timed_out"])
def test_exit_code_of_what_errand_stopped_needs_no_words(result: str) -> None:
    assert run_view(run(result=result, exit_code=143)).why is None
    assert run_view(run(result="failed", exit_code=143)).why is not None


_BUILD = {"build": 3, "image": "shop"}
_PUSH = {"build": 4, "commit": "d" * 40}


@pytest.mark.parametrize(
    ("reason", "on", "engine", "words"),
    [
        ("BuildFailed", _BUILD, None, "Build #3 of shop did not succeed."),
        ("BuildFailed", _BUILD | {"result": "cancelled"}, None, "Build #3 of shop was cancelled."),
        ("BuildFailed", _BUILD | {"result": "error"}, "No room.", "Build #3 of shop failed. No room."),
        (
            "BuildFailed",
            _BUILD | {"result": "failed", "exit_code": 0},
            None,
            "Build #3 of shop failed with exit code 0.",
        ),
        ("Superseded", _PUSH, None, f"A newer push is built instead: {'d' * 12}, build #4."),
        ("BuildFailed", None, "As it was stored before.", "As it was stored before."),
        ("Superseded", None, None, None),
        ("OfTomorrow", {"moon": "full"}, "It howls.", "It howls."),
    ],
)
def test_build_that_ended_a_run_is_said_before_what_the_engine_says(
    reason: str, on: dict[str, object] | None, engine: str | None, words: str | None
) -> None:
    assert message(run(reason=reason, reason_on=on, message=engine)) == words


def test_build_that_failed_says_nothing_of_the_push_that_was_to_take_its_place() -> None:
    assert message(build(reason="BuildFailed", reason_on=_PUSH, message="No room.")) == "No room."
