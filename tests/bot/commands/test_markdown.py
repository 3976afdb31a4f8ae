"""Which lines of a comment are commands: visible ones of ordinary text, and no others."""

import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.commands.markdown import MASK, TooCostly, commands_in, jobs_named, may_hold_command, plain, read

HIDDEN = {
    "fenced code": "```\n/job run a\n```",
    "code with tildes": "~~~sh\n/job run a\n~~~",
    "a fence that is never closed": "```\n/job run a\n\n/job run b",
    "indented code": "text\n\n    /job run a",
    "inline code over two lines": "`text\n/job run a`",
    "a quote": "> /job run a",
    "the lazy end of a quote": "> text\n/job run a",
    "a quote in a quote": "> > text\n/job run a",
    "a list": "- /job run a",
    "a numbered list": "1. /job run a",
    "the lazy end of a list": "- text\n/job run a",
    "a table": "| a |\n|---|\n/job run a",
    "a heading": "# /job run a",
    "a comment": "<!-- /job run a -->",
    "a comment over lines": "<!--\n\n/job run a\n\n-->",
    "a comment never closed": "<!--\n\n/job run a",
    "a comment within a line": "text <!-- text\n/job run a\n-->",
    "a second comment after the first": "<!-- --> <!--\n\n/job run a",
    "a comment begun in a list": "- <!--\n\n/job run a\n\n-->",
    "details": "<details>\n/job run a\n</details>",
    "details over blank lines": "<details>\n<summary>x</summary>\n\n/job run a\n\n</details>",
    "details in details": "<details>\n\n<details>\n\n</details>\n\n/job run a\n\n</details>",
    "details never closed": "<details>\n\n/job run a",
    "details within a line": "text <details>\n/job run a\n</details>",
    "details with a tricky attribute": '<details title="</details>">\n\n/job run a\n\n</details>',
    "a tag never finished": '<div title="\n\n/job run a\n\n">',
    "preformatted HTML": "<pre>\n\n/job run a\n</pre>",
    "a quote in HTML": "<blockquote>\n\n/job run a\n\n</blockquote>",
    "a quote in HTML within a quote": "> <blockquote>\n\n/job run a",
    "code in HTML begun in a list": "- x <code>\n\n/job run a",
    "preformatted HTML within code": "<code><pre></code>\n\n/job run a",
    "code in what some take for a declaration": "a <!X<code>\n/job run a",
    "details not ended within a declaration": "<details>\n\na <!X</details>\n\n/job run a",
    "other HTML": "<div>\n/job run a\n</div>",
    "the title of a link": '[a](b "\n/job run a\n")',
    "the text of a link": "[a\n/job run a\n](b)",
    "the text of an image": "![a\n/job run a\n](b)",
    "the title of a reference": '[a]: b "\n/job run a\n"',
    "struck text": "~~a\n/job run a\nb~~",
    "text struck by one tilde": "~a\n/job run a\nb~",
    "struck text in a struck text": "~a ~~b~~\n/job run a\nc~",
    "a footnote": "[^1]: text\n/job run a",
    "a footnote that would be the definition of a link": "[^1]: /a\n/job run a",
    "a footnote below a paragraph": "text\n[^note]: text\n/job run a",
    "a formula": "$$\n/job run a\n$$",
    "a formula within a line": "as in $a\n/job run a\nb$.",
    "the middle of a line": "please /job run a",
    "a longer word": "/jobs run a",
    "four spaces in a paragraph": "text\n    /job run a",
    "a zero-width start": "\u200b/job run a",
    "a word split by nothing": "/j\u200bob run a",
    "a line that only looks like one": "text\u2028/job run a",
    "an escaped start": "\\/job run a",
}


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN.keys())
def test_command_in_what_is_no_ordinary_line_starts_nothing(text: str) -> None:
    assert commands_in(text) == []


SEEN = {
    "alone": ("/job run a", ["/job run a"]),
    "only the first word": ("/job", ["/job"]),
    "after text": ("text\n/job run a\nmore", ["/job run a"]),
    "several, in order": ("/job run a\n/job run b\n\n/job run c", ["/job run a", "/job run b", "/job run c"]),
    "three spaces in": ("   /job run a", ["/job run a"]),
    "with Windows' line ends": ("/job run a\r\n/job run b\r\n", ["/job run a", "/job run b"]),
    "with old line ends": ("/job run a\r/job run b", ["/job run a", "/job run b"]),
    "hard breaks": ("/job run a  \n/job run b\\\n/job run c", ["/job run a", "/job run b", "/job run c"]),
    "underlined": ("/job run a\n---", ["/job run a"]),
    "two dashes": ("/job run a --ref b -- --c", ["/job run a --ref b -- --c"]),
    "quotes and dots": ("/job run a B=\"c...\" D='e'", ["/job run a B=\"c...\" D='e'"]),
    "emphasis characters": ("/job run a B=*c* D=_e_", ["/job run a B=*c* D=_e_"]),
    "backslashes": (r"/job run a B=\*\d+", [r"/job run a B=\*\d+"]),
    "after closed details": ("<details>\n\nx\n\n</details>\n\n/job run a", ["/job run a"]),
    "after details closed by their list": ("- <details>\n\n  x\n\n/job run a", ["/job run a"]),
    "after a closed comment": ("<!-- x -->\n/job run a", ["/job run a"]),
    "after an unknown tag": ("a List<String> and\n/job run a", ["/job run a"]),
    "after a deep quote": (">" * 30_000 + "\n\n/job run a", ["/job run a"]),
    "after a footnote": ("[^1]: text\n\n/job run a", ["/job run a"]),
    "between two homes": ("in ~ and\n/job run a\nin ~ too", ["/job run a"]),
    "between tildes of two kinds": ("~~a\n/job run a\nb~", ["/job run a"]),
    "between prices": ("for $5 or\n/job run a PRICE=$4\n$6", ["/job run a PRICE=$4"]),
    "between escaped dollars": ("\\$$\n/job run a\n\\$$", ["/job run a"]),
    "between three tildes": ("a ~~~b\n/job run a\nc~~~", ["/job run a"]),
    "NUL": ("/job run a\0", ["/job run a\ufffd"]),
    "a line separator": ("/job run a\u2028/job run b", ["/job run a\u2028/job run b"]),
}


@pytest.mark.parametrize(("text", "found"), SEEN.values(), ids=SEEN.keys())
def test_command_at_the_start_of_a_visible_line_is_found(text: str, found: list[str]) -> None:
    assert commands_in(text) == found


def test_code_and_tags_within_a_command_are_masked_and_comments_are_left_out() -> None:
    text = "/job run a `B=c` <!-- D=e --> <b>F=g</b>"
    assert commands_in(text) == [f"/job run a {MASK}   {MASK}F=g{MASK}"]


def test_code_that_goes_on_in_the_next_line_belongs_to_the_command_and_masks_it() -> None:
    assert commands_in("/job run a `b\n/job run c` d") == [f"/job run a {MASK} d"]


def test_another_first_word_is_found_and_the_default_is_not() -> None:
    assert commands_in("/job run a\n!errand run b", "!errand") == ["!errand run b"]


Block = Callable[[str], str]


def _each_line(prefix: str) -> Block:
    return lambda inner: "\n".join(prefix + line for line in inner.split("\n"))


def _fenced(inner: str) -> str:
    fence = "`" * 3
    while fence in inner:
        fence += "`"
    return f"{fence}\n{inner}\n{fence}"


def _item(inner: str) -> str:
    return "- " + inner.replace("\n", "\n  ")


CONTAINERS: list[Block] = [
    _fenced,
    _item,
    _each_line("> "),
    _each_line("    "),
    lambda inner: f"<details>\n<summary>more</summary>\n\n{inner}\n\n</details>",
    lambda inner: f"<blockquote>\n\n{inner}\n\n</blockquote>",
]
WRAPPED: list[Block] = [
    lambda inner: f"<!--\n{inner}\n-->",
    lambda inner: f"text `code\n{inner}\nend`",
    lambda inner: f"<div>\n{inner}\n</div>",
    lambda inner: f"| head |\n|------|\n{inner}",
]

lines = st.lists(st.sampled_from(["text", "/job run hidden", "  /job cancel #1", "*more* text"]), min_size=1)
simple = st.builds(lambda wrap, inner: wrap("\n".join(inner)), st.sampled_from(WRAPPED), lines)
hidden = st.recursive(
    simple | st.builds(lambda wrap, inner: wrap("\n".join(inner)), st.sampled_from(CONTAINERS), lines),
    lambda inner: st.builds(
        lambda wrap, blocks: wrap("\n\n".join(blocks)),
        st.sampled_from(CONTAINERS),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=5,
)
seen = st.integers(0, 999).map(lambda number: f"/job run seen-{number}")
ordinary = st.sampled_from(
    ["text", "*text* with `code`", "a <b>bold</b> word", "[a link](https://example.com)"]
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("hso"), hidden, seen, ordinary), max_size=8))
def test_exactly_the_top_level_commands_of_a_generated_comment_are_found(
    blocks: list[tuple[str, str, str, str]],
) -> None:
    chosen = [{"h": hide, "s": show, "o": other}[kind] for kind, hide, show, other in blocks]
    expected = [show for kind, _, show, _ in blocks if kind == "s"]
    assert commands_in("\n\n".join(chosen)) == expected


@settings(deadline=None)
@given(
    st.text(alphabet=st.sampled_from("/job run`~<>!-[]()\\\n\r *_#|&;\"'=\0\u2028detailspre"), max_size=300)
)
def test_whatever_is_found_stands_in_the_text_and_begins_with_the_first_word(text: str) -> None:
    source = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    for command in commands_in(text):
        assert command.split()[0] == "/job"
        assert MASK in command or " " in command or command in source


HOSTILE = [
    "![[",
    "[\n",
    "a<![CDATA[",
    ">",
    "`",
    "- a\n",
    "> - ",
    "*a_ ",
    "/job ",
    "/job\n",
    "<details>\n\n",
    "|a",
]


def _seconds(text: str, read: Callable[[str], object] = commands_in) -> float:
    """CPU time of the quickest of three readings: garbage of other tests may be collected in one."""
    took = []
    for _ in range(3):
        start = time.process_time()
        with suppress(TooCostly):
            read(text)
        took.append(time.process_time() - start)
    return min(took)


@pytest.mark.parametrize("piece", HOSTILE)
def test_time_to_read_a_hostile_comment_grows_no_faster_than_its_length(piece: str) -> None:
    text = "/job run a\n" + piece * (16384 // len(piece))
    assert _seconds(text) < 10 * max(_seconds(text[:4096]), 0.1)


WORST = [
    *('[]( "', "\\``", "*_", "<details></div>", "<s><q></s>"),
    *(
        "![",
        "[",
        "[a](",
        "[a][",
        "![](",
        "a\n>>\n",
        "> >\n<a\n",
        "> >\na\n",
        "```\n",
        "1. - a\n",
        "<!--",
        "$a ~b",
    ),
    *(
        "On 2024-01-01 ",
        "From: a\nSent:\n",
        "/job\n",
        "/Job ",
        "a|\n-|\n",
        "[a]: b\n",
        "<details>\n\n",
        "~" * 99 + "a",
    ),
]
"""What fuzzing found to be the slowest, some of it for minutes before there was a bound."""


@pytest.mark.parametrize("piece", WORST)
def test_worst_comments_are_read_or_refused_within_a_tenth_of_a_second(piece: str) -> None:
    text = ("/job run a\n" + piece * (65_000 // len(piece)))[:65_000] + "\n\n/job run b"
    assert _seconds(text) < 0.1


def test_comment_that_is_too_costly_starts_nothing_and_says_so() -> None:
    for text in ("/job run a\n" + "![" * 32_000, "/job run a\n\n" + "a" * 70_000):
        with pytest.raises(TooCostly, match="comment of its own"):
            read(text)


def test_comment_with_a_long_log_in_it_is_read() -> None:
    log = "2024-06-01T12:00:00Z INFO worker[12]: handled <job> 17 in 3.2 ms *ok* [a] (b)\n" * 800
    assert commands_in(f"```\n{log}```\n\n/job run a") == ["/job run a"]
    assert commands_in(f"/job run a\n\n{log}") == ["/job run a"]


def test_look_at_a_comment_costs_next_to_nothing() -> None:
    for text in ("x" * 65_536, "x/job " * 10_000, "/jo" * 20_000):
        assert _seconds(text, may_hold_command) < 0.01


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("/jobJ \n\r\u200b\u00a0x>-"), max_size=60))
def test_look_at_a_comment_never_misses_a_command(text: str) -> None:
    text += "\n/job run a"
    assert may_hold_command(text)
    assert jobs_named(text) in ([], ["a"])


NEAR = {
    "upper case": ("/Job run a", "/job run a"),
    "all upper case": ("/JOB run a", "/job run a"),
    "a no-break space behind": ("/job\u00a0run a", "/job run a"),
    "a no-break space before": ("\u00a0/job run a", "/job run a"),
    "a zero-width space before": ("\u200b/job run a", "/job run a"),
    "a zero-width space behind": ("/job\u200b run a", "/job run a"),
    "a byte-order mark": ("\ufeff/job run a", "/job run a"),
    "an ideographic space": ("/job\u3000run a", "/job run a"),
    "a word joiner in a later line": ("text\n\u2060/job run a", "/job run a"),
}


@pytest.mark.parametrize(("text", "meant"), NEAR.values(), ids=NEAR.keys())
def test_what_is_almost_a_command_starts_nothing_and_is_told_how_it_is_typed(text: str, meant: str) -> None:
    (line,) = read(text)
    assert f"Please type `{meant}`" in str(line.problem)
    assert commands_in(text) == []


@pytest.mark.parametrize(
    "text", ["`/Job run a`", "> \u00a0/job run a", "- /JOB", "see /Job run", "/Jobs run a"]
)
def test_what_is_almost_a_command_where_none_counts_is_not_answered(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize("next_line", ["SINCE=2024-01-01", "  NOTE='a b'", "--ref main"])
def test_command_whose_line_a_mail_program_broke_starts_nothing_and_says_so(next_line: str) -> None:
    first, second = read(f"/job run a B=c\n{next_line}\n/job list")
    assert "broken the line" in str(first.problem)
    assert (second.text, second.problem) == ("/job list", None)
    assert commands_in(f"/job run a B=c\n\n{next_line}") == ["/job run a B=c"]


def test_rising_runs_of_backticks_are_read_in_time() -> None:
    start = time.process_time()
    with suppress(TooCostly):
        commands_in("/job run a\n" + " ".join("`" * length for length in range(1, 361)))
    assert time.process_time() - start < 5.0


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("hello\r   /job list", True),
        ("/job", True),
        ("/job\tlist", True),
        ("/jobs list", False),
        ("see /job list", False),
        ("    /job list", False),
        ("> /job list", False),
    ],
)
def test_line_that_begins_like_a_command_is_found_without_parsing(text: str, holds: bool) -> None:
    assert may_hold_command(text) == holds


def test_search_for_such_a_line_takes_linear_time() -> None:
    assert _seconds("![" * 2_000_000, may_hold_command) < 1.0


SLACK = {
    "run a B=c": "run a B=c",
    "a &lt;b&gt; &amp; c": "a <b> & c",
    "&amp;lt;!channel&amp;gt;": "&lt;!channel&gt;",
    "<@U012AB3CD|octocat>": "@octocat",
    "<@U012AB3CD>": "@U012AB3CD",
    "<#C012AB3CD|general>": "#general",
    "<!here>": "@here",
    "<!subteam^S1|@ops>": "@ops",
    "<https://example.com/?a=1&amp;b=2>": "https://example.com/?a=1&b=2",
    "<https://example.com|example.com>": "example.com",
    "<mailto:a@example.com|a@example.com>": "a@example.com",
    "1 < 2": "1 < 2",
}


@pytest.mark.parametrize(("typed", "meant"), SLACK.items())
def test_slack_markup_becomes_what_was_typed(typed: str, meant: str) -> None:
    assert plain(typed) == meant


def test_a_great_many_open_brackets_of_slack_are_read_in_time() -> None:
    start = time.process_time()
    plain("<" * 60_000)
    assert time.process_time() - start < 5.0
