"""The summary of a hostile job: what is left of it in every place, read back with a real Markdown parser."""

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.messages import reports
from bot.messages.summaries import blocks
from bot.text.bars import bar, steps

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough", "linkify"])
WHOLE = """# Report

All of *it* is **done**, see [the log](https://ci.example.com/1?a=b) and `make x`.

- one
  goes on
  - two
1. first
2. second

> quoted

| name | rows |
|------|-----:|
| a\\|b | 1 |
| c    |

```sql
select 1; -- @octocat
```

---
"""
NASTY = [
    "@octocat @acme/ops #1 GH-1 acme/shop#1",
    "<img src=https://evil.example.com/x.png> <script>alert(1)</script>",
    "</details><h1>x</h1>",
    "![x](https://evil.example.com/x.png)",
    "[x](javascript:alert(1)) [y](data:text/html,x) [z](//evil.example.com)",
    "[x]: https://evil.example.com\n[x]",
    "```\nnever ends @octocat",
    "<!channel> <@U012AB3CD> <https://evil.example.com|x>",
    "<!-- errand:nonce -->",
    "[it](https://github.com/acme/shop/pull/7) <https://github.com/acme/shop/issues/7>",
    '[x](https://e.example.com/"onclick=alert(1)) [y](https://e.example.com/)|z>)',
    "a\n===\n\n    code\n\n&lt;b&gt; &#64;octocat",
    "**[x](https://e.example.com)** _`y`_ \\<b\\>",
    "\u202e\u2066 \u2028",
]


def test_summary_is_written_anew_for_github() -> None:
    assert reports.github(WHOLE, 10_000) == (
        "### Report\n\n"
        "All of *it* is **done**\\, see [the log](https://ci.example.com/1?a=b) and `make x`\\.\n\n"
        "- one goes on\n    - two\n1. first\n2. second\n\n"
        "> quoted\n\n"
        "| name | rows |\n| --- | --- |\n| a\\|b | 1 |\n| c |  |\n\n"
        "```text\nselect 1; -- @octocat\n```\n\n"
        "---"
    )


def test_summary_is_written_anew_for_slack() -> None:
    assert reports.slack(WHOLE, 10_000) == (
        "*Report*\n\n"
        "All of _it_ is *done*, see <https://ci.example.com/1?a=b|the log> and `make x`.\n\n"
        "• one goes on\n    • two\n1. first\n2. second\n\n"
        "> quoted\n\n"
        "name | rows\na|b | 1\nc\n\n"
        "```\nselect 1; -- @octocat\n```\n\n"
        "———"
    )


@given(st.lists(st.sampled_from(NASTY) | st.text(max_size=40), max_size=6).map("\n\n".join))
@example("\n\n".join(NASTY))
def test_nothing_of_a_summary_acts(summary: str) -> None:
    text = reports.github(summary, 30_000)
    shown = MARKDOWN.render(text)
    assert "<img" not in shown
    assert "<script" not in shown
    assert shown.count("<details>") == shown.count("</details>") == text.count("<details><summary>Summary")
    outside = re.sub(r"<code[^>]*>.*?</code>", "", shown, flags=re.DOTALL)
    assert not re.search(r"[@#](?=\w)|GH-\d", re.sub(r'href="[^"]*"', "", outside).replace("&#", ""))
    targets = re.findall(r'href="([^"]*)"', outside)
    assert all(re.match(r"https?://", target) for target in targets)
    assert not any(re.search("/(pull|issues)/", target) for target in targets)
    slack = reports.slack(summary, 2400)
    assert len(slack) <= 2400
    assert all(re.match(r"https?://", link) for link in re.findall("<([^>]*)", slack))


@pytest.mark.parametrize("limit", [500, 2400, 35_000])
def test_long_summary_ends_where_a_part_does(limit: int) -> None:
    text = reports.github("\n\n".join(f"word {number}" for number in range(20_000)), limit)
    assert len(text) <= limit
    assert text.removesuffix("\n\n</details>").endswith("\n\n…")
    assert text.startswith("<details>") == (limit > 2000)


@pytest.mark.parametrize(
    "piece", ["*", "[", "![", "`` a", "|", "> ", "- a\n", "```\n", "~~", "\\!", "a|b\n-|-\n"]
)
def test_hostile_summary_costs_little(piece: str) -> None:
    found = blocks(piece * (65_536 // len(piece)))
    assert len(found) <= 2001
    assert all(len(block.spans) <= 4001 for block in found)


@pytest.mark.parametrize(
    "summary",
    [
        "a|b\n|" + "-" * 24 + "x|",  # each dash more took twice as long
        "a|b\n|" + "-" * 65_000 + "x|",
        "# " + "#" * 20_000 + "x",
        "# " + " #" * 30_000 + "x",
        "~" * 30_000 + "`",
        "`" * 30_000 + "x`",
        "| a |\n|" + " :-: |" * 10_000 + "x",
    ],
)
def test_line_that_could_be_read_in_many_ways_is_read_at_once(summary: str) -> None:
    begin = time.thread_time()
    reports.github(summary, 40_000)
    assert time.thread_time() - begin < 0.1


@pytest.mark.parametrize(
    ("line", "text"), [("# a ##", "a"), ("# a #b", "a #b"), ("# C#", "C"), ("## ", ""), ("# a ##  ", "a ##")]
)
def test_heading_ends_before_its_closing_marks(line: str, text: str) -> None:
    (block,) = blocks(line)
    assert (block.kind, "".join(each.text for each in block.spans)) == ("heading", text)


@pytest.mark.parametrize(
    ("line", "is_table"),
    [("|-|-|", True), ("-|-", True), (":-: | --:", True), ("|--", True), ("--|x", False), ("||", False)],
)
def test_table_has_a_line_of_dashes(line: str, is_table: bool) -> None:
    assert (blocks(f"a|b\n{line}")[0].kind == "table") is is_table


def test_bar_is_full_only_at_the_end() -> None:
    assert [bar(*each) for each in ((0, 3), (3, 5), (999, 1000), (5, 5))] == [
        "▱▱▱ 0/3",
        "▰▰▰▱▱ 3/5",
        "▰▰▰▰▰▰▰▰▰▱ 999/1000",
        "▰▰▰▰▰ 5/5",
    ]
    assert [
        steps(None),
        steps({"done": 1}),
        steps({"done": 2, "total": 1}),
        steps({"done": 0, "total": 0}),
    ] == [None] * 4
