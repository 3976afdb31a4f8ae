"""Errand's Markdown as plain text."""

from bot import messages
from bot.commands.grammar import help_text
from terminal.speech import spoken


def test_marks_links_and_escapes_become_words() -> None:
    text = "**migrate** [#142](https://e.example/runs/142) failed: no\\_such\\_table `a*b`"
    assert spoken(text) == "migrate #142 (https://e.example/runs/142) failed: no_such_table a*b"


def test_links_can_be_left_out() -> None:
    text = "[#1](http://x/1) ended\n\n[The whole log](http://x/1)"
    assert spoken(text, links=False) == "#1 ended"


def test_log_lines_stay_as_they_are() -> None:
    assert spoken("```\n**not bold** \\_\n```") == "    **not bold** \\_"


def test_code_is_literal_whatever_stands_in_it() -> None:
    for text in ("a`b", "**x**", "[a](b)", "\\*"):
        assert spoken(messages.code(text)) == text


def test_terminal_is_not_told_to_do_anything() -> None:
    assert "\x1b" not in spoken("a\x1b[2Jb")


def test_help_reads_as_it_is_typed() -> None:
    assert "- /job run NAME [at T | in D] [KEY=VALUE ...]" in spoken(help_text("/job"))
