"""A variable says what it holds, a function what it gives: no name is only the participle of a verb."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTICIPLES = "told|said|wanted|asked|held|given"
NAMING = re.compile(
    rf"\b(?:def|class) (_?(?:{PARTICIPLES}))\b"
    rf"|\bfor (_?(?:{PARTICIPLES})) in\b"
    rf"|^ *(?:self\.)?(_?(?:{PARTICIPLES}))(?:: [^=\n]+)? = "
    rf"|[(,]\s*(_?(?:{PARTICIPLES})): ",
    re.MULTILINE | re.IGNORECASE,
)

FIELDS = ("bot/tables/", "bot/states.py", "webhooks/api/lock_responses.py", "webhooks/api/responses.py")
"""Columns and fields of the API, which keep the names that they have outside."""


@pytest.mark.parametrize("room", ["bot", "executor", "webhooks", "terminal", "demo", "benchmarks"])
def test_names_are_nouns(room: str) -> None:
    wrong = [
        f"{name}:{code.count(chr(10), 0, each.start()) + 1}: {each[0].strip()}"
        for file in sorted((ROOT / room).rglob("*.py"))
        if not (name := file.relative_to(ROOT).as_posix()).startswith(FIELDS)
        for code in [file.read_text()]
        for each in NAMING.finditer(code)
    ]
    assert wrong == []
