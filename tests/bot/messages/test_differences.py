"""What a run does otherwise than the one that it repeats."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import messages
from bot.messages import differences
from bot.tables import Run


def run(**about: Any) -> Run:
    known: dict[str, Any] = {"number": 2, "key": "k", "name": "n", "job": "j", "cause": "c", "actor": "a"}
    return Run(**known | {"created_at": 0.0} | about)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({}, {}, ()),
        ({"parameters": {"A": "1", "B": "2"}}, {"parameters": {"A": "3", "C": "2"}},
         ("A: 1 → 3", "B: 2 → (none)", "C: (none) → 2")),
        ({"arguments": ["a"]}, {"arguments": []}, ("arguments: a → (none)",)),
        ({"commit": "a" * 40, "digest": "x"}, {"commit": "b" * 40, "digest": "y"},
         (f"commit: {'a' * 12} → {'b' * 12}",)),
        ({"commit": "a", "digest": "x"}, {"commit": "a", "digest": "y"}, ("the image was built anew",)),
        ({"definition": {"env": {"A": "private"}}, "version": 1}, {"definition": {"env": {}}, "version": 2},
         ("definition 1 → 2: env",)),
    ],
)  # fmt: skip
def test_differences_are_told_and_of_a_definition_only_the_keys(
    old: dict[str, Any], new: dict[str, Any], told: tuple[str, ...]
) -> None:
    assert differences(run(**old), run(**new)) == told


@given(st.dictionaries(st.text(max_size=9), st.text(max_size=99), max_size=30))
def test_card_with_differences_stays_within_its_bounds(parameters: dict[str, str]) -> None:
    old, new = run(number=1), run(parameters=parameters, rerun_of=1)
    assert len(differences(old, new)) <= 13
    view = messages.run_view(new, messages.Beside(old))
    assert "again from" in messages.comment(view, None, nonce="n")
    _, blocks = messages.blocks(view, None)
    assert sum(len(str(block)) for block in blocks) < 12_000
    same, alone = (
        messages.run_view(run(rerun_of=1), messages.Beside(run())),
        messages.run_view(run(rerun_of=1)),
    )
    assert "again from `#1`, exactly" in messages.comment(same, None, nonce="n")
    assert "other than" not in messages.comment(alone, None, nonce="n")
