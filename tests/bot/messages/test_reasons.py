"""Reasons are sentences with what to do, and every code word that the engines say has one."""

import re
from pathlib import Path

import pytest

from bot.messages.reasons import REASONS, explained

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
