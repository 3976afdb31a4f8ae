from pathlib import Path

import bot
from bot.states import EntryKind
from bot.text.journal import KINDS, MOST, facts_line, kind_words

DOCUMENTED = (Path(bot.__file__).parents[1] / "docs" / "audit.md").read_text()


def test_every_kind_has_its_own_words_and_is_documented() -> None:
    assert KINDS.keys() == set(EntryKind)
    assert len(set(KINDS.values())) == len(KINDS)
    assert [kind for kind in EntryKind if f"`{kind}`" not in DOCUMENTED] == []
    assert kind_words("run.teleported") == "run.teleported"


def test_facts_are_one_line_in_which_what_stands_within_another_follows_its_name() -> None:
    facts = {"a": 1, "of": {"b": "x", "deep": {"c": None}}, "list": ["p", "q"]}
    assert facts_line(facts) == "a=1 of.b=x of.deep.c=None list=p,q"
    assert facts_line({"reason": {"kind": "answer", "text": "Sorry."}}) == "reason=Sorry."
    assert facts_line({"address": "", "number": 1}) == "number=1"
    assert facts_line({"until": 1769889731.1, "count": 7}) == "until=2026-01-31 20:02 UTC count=7"
    assert facts_line({}) == ""
    assert len(facts_line({"long": "x" * 5000})) == MOST + 1
