"""The table of verbs, and the help that is made from it."""

from bot.commands.grammar import VERBS, help_text
from bot.commands.parser import Command, parse

EXAMPLES = {
    "NAME": "migrate",
    "NAME[/SCHEDULE]": "migrate/eu",
    "IMAGE": "shop",
    "TARGET": "prod",
    "#N": "#1",
}


def _example(subject: str) -> str:
    """What may stand for a subject, with what has to follow it."""
    first = EXAMPLES.get(subject.split(" ")[0], "")
    return f"{first} from 2030-01-31" if " from T" in subject else first


def test_every_verb_of_the_table_is_read() -> None:
    for verb in VERBS.values():
        subject = _example(verb.subject)
        command: Command = parse(f"/job {verb.name} {subject}")
        assert type(command).__name__.lower() == verb.name


def test_every_flag_of_the_table_is_read() -> None:
    for verb in VERBS.values():
        subject = _example(verb.subject)
        for flag in verb.flags:
            plain = parse(f"/job {verb.name} {subject}")
            named = "" if flag.instead else subject  # in whose place that stands
            assert parse(f"/job {verb.name} {named} --{flag.name} {'2' if flag.value else ''}") != plain


def test_help_shows_each_verb_once() -> None:
    text = help_text("!errand")
    assert all(text.count(f"`!errand {verb.usage}`") == 1 for verb in VERBS.values())


def test_help_of_one_verb_shows_its_flags() -> None:
    text = help_text("/job", "run")
    assert "--ref REF" in text
    assert "--image TAG" in text
    assert "KEY=VALUE" in text
    assert "-- ARGS" in text
