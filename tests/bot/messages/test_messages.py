"""Runs and builds in words, whatever came from outside, read back with a real Markdown parser."""

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot import messages
from bot.states import State
from bot.tables import Run
from demo.blocks import check_blocks
from demo.github.checking import comment_body, fill_check, status_fields
from demo.github.state import Check
from executor.spec import Result
from tests.bot.messages.rows import NOW, run

LINK = "https://errand.example.com/runs/142?expires=1&signature=abc"
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])

NASTY = [
    "```\n<!channel>",
    "`````",
    "-->",
    "<!-- errand:n2 -->",
    "<details><summary>x</summary>",
    "</details>",
    "@octocat @acme/ops #1 GH-1 acme/shop#1",
    "https://evil.example.com www.evil.example.com mailto:a@b.example.com",
    "[x](https://evil.example.com) ![x](https://evil.example.com)",
    "<@U012AB3CD> <!here> <#C1> <https://evil.example.com|x> &amp; &#64;octocat",
    "\u202eabc\u2066\u200f",
    "\x00\x01\x1b[31m\x7f\x85\u2028",
    "👩‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "\ud800",
    "*x* _x_ ~x~ | a | b |\n|---|---|",
    "# heading\n\n- list\n1. list\n\n> quote\n\n---\n    code",
    "x" * 1_000_000,
    "\\",
    "`",
    " ",
    "",
]
text = st.one_of(
    st.sampled_from(NASTY), st.text(max_size=200), st.text(alphabet="`<>@#[]()!|\\*_~:/-. \n", max_size=60)
)
moment = st.one_of(st.none(), st.floats(min_value=0, max_value=4e9))


@st.composite
def runs(draw: st.DrawFn) -> Run:
    state = draw(st.sampled_from(State))
    return Run(
        number=draw(st.integers(min_value=1, max_value=2**53)),
        key="k",
        name="n",
        job=draw(text),
        parameters=draw(st.dictionaries(text, text, max_size=30)),
        arguments=draw(st.lists(text, max_size=5)),
        repository=draw(st.one_of(st.none(), st.just("acme/shop"), text)),
        ref=draw(st.one_of(st.none(), text)),
        commit=draw(st.one_of(st.none(), st.just("a" * 40), text)),
        cause=draw(st.one_of(st.just("comment"), text)),
        actor=draw(st.one_of(st.just("github:octocat"), text)),
        rerun_of=draw(st.one_of(st.none(), st.integers(min_value=1))),
        state=state,
        result=draw(st.one_of(st.sampled_from(Result), text)) if state is State.FINISHED else None,
        reason=draw(st.one_of(st.none(), text)),
        message=draw(st.one_of(st.none(), text)),
        exit_code=draw(st.one_of(st.none(), st.integers(min_value=0, max_value=255))),
        waiting_for=draw(st.one_of(st.none(), text)),
        tail=draw(st.lists(text, max_size=40)),
        created_at=draw(st.floats(min_value=0, max_value=4e9)),
        started_at=draw(moment),
        finished_at=draw(moment),
    )


def comment(row: Run, link: str | None = LINK, line: str | None = None) -> str:
    return messages.comment(messages.run_view(row, messages.Beside(line=line)), link, nonce="n1")


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a Markdown parser sees: block kinds, link targets, and the texts outside and inside code."""

    blocks: list[str]
    links: list[str]
    outside: str
    inside: str


def rendered(markdown: str) -> Rendered:
    found = Rendered([], [], "", "")
    outside, inside = [], []
    for token in MARKDOWN.parse(markdown):
        if token.nesting >= 0:
            found.blocks.append(token.type)
        if token.type == "fence":
            inside.append(token.content)
        for child in token.children or []:
            if child.type == "code_inline":
                inside.append(child.content)
            elif child.type == "text":
                outside.append(child.content)
            elif child.type == "link_open":
                found.links.append(str(child.attrGet("href")))
            elif child.type in ("image", "html_inline", "s_open", "em_open"):
                found.blocks.append(child.type)
            else:
                outside.append(" ")
        outside.append("\n")
    return Rendered(found.blocks, found.links, "".join(outside), "\n".join(inside))


REFERENCES = re.compile(r"(?i)[@#]\w|://|\bwww\.|\bgh-\d")
"""What GitHub turns into a mention, a reference or a link when it stands in text."""


def assert_inert(markdown: str, row: Run) -> None:
    seen = rendered(markdown)
    assert set(seen.blocks) <= {"paragraph_open", "inline", "fence", "html_block"}
    assert seen.blocks.count("fence") <= 2
    assert set(seen.links) <= {LINK}
    own = [f"#{row.number}", f"acme/shop@{'a' * 40}"]
    outside = seen.outside
    for mine in own:
        outside = outside.replace(mine, "")
    assert not REFERENCES.search(outside), outside
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\x80-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", markdown)


@given(runs(), st.one_of(st.none(), text))
@settings(max_examples=150, deadline=None)
def test_comment_holds_whatever_came_without_being_changed_by_it(row: Run, line: str | None) -> None:
    body = comment(row, line=line)
    assert_inert(body, row)
    assert len(body) <= 65_535
    assert body.endswith("\n\n<!-- errand:n1 -->")
    assert rendered(body).blocks.count("html_block") == (3 if "<details>" in body else 1)
    assert comment_body({"body": body}) == body
    assert body.encode()


@given(runs())
@settings(max_examples=100, deadline=None)
def test_check_and_status_are_what_github_takes(row: Run) -> None:
    fields = messages.check(messages.run_view(row), LINK, nonce="n1", now=NOW)
    fill_check(Check(1, "acme/shop", "a" * 40, 1, ""), fields.body())
    assert (fields.status == "completed") == (fields.conclusion is not None) == (row.state == "finished")
    assert_inert(fields.summary, row)
    status = messages.status(messages.run_view(row), LINK)
    status_fields(status.body())
    assert len(status.description) <= 140
    assert "\n" not in status.description + status.context + fields.title


@given(runs())
@settings(max_examples=100, deadline=None)
def test_slack_sees_no_markup_but_ours(row: Run) -> None:
    title, blocks = messages.blocks(messages.run_view(row), LINK)
    check_blocks(blocks)
    assert len(title) <= 3000
    assert_no_slack_markup(title)
    for block in blocks:
        for part in [block.get("text"), *block.get("elements", [])]:
            if isinstance(part, Mapping) and part["type"] == "mrkdwn":
                assert part["verbatim"] is True
                assert_no_slack_markup(part["text"])


@pytest.mark.parametrize("filling", ["&", "<", "`", '"', "\\", "\n", "\u202e", "😀", "x", " x"])
def test_longest_card_keeps_every_limit(filling: str) -> None:
    longest = filling * 1000
    row = run(
        job=longest,
        parameters={f"{longest}{number}": longest for number in range(30)},
        arguments=[longest] * 5,
        repository=longest,
        ref=longest,
        commit=longest,
        actor=longest,
        result="error",
        reason=longest,
        message=longest,
        tail=[longest] * 40,
    )
    waiting = run(state="waiting", waiting_for=longest, job=longest)
    for each in (row, waiting):
        title, blocks = messages.blocks(messages.run_view(each), LINK)
        check_blocks(blocks)
        assert len(json.dumps(blocks, ensure_ascii=False)) <= 12_000
        assert len(title) <= 3000
        fill_check(
            Check(1, "acme/shop", "a" * 40, 1, ""),
            messages.check(messages.run_view(each), LINK, nonce="n1", now=NOW).body(),
        )
        status_fields(messages.status(messages.run_view(each), LINK).body())
        comment_body({"body": comment(each)})
        assert len(comment(each).encode()) <= 65_535


def assert_no_slack_markup(mrkdwn: str) -> None:
    """Nothing but moments, and links to our page; every ampersand begins one of Slack's three entities."""
    moments = r"<!date\^\d+\^\{date_short_pretty\} \{time\}\|\d{4}-\d\d-\d\d \d\d:\d\d UTC>"
    ours = re.sub(
        r"<([^<>|]*)\|[^<>|]*>",
        lambda found: "" if html.unescape(found[1]) == LINK else "<",
        re.sub(moments, "", mrkdwn),
    )
    assert not re.search("[<>]", ours), mrkdwn
    assert not re.search("&(?!(amp|lt|gt);)", ours)


@given(runs())
@settings(max_examples=100, deadline=None)
def test_terminal_gets_no_control_characters(row: Run) -> None:
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\x80-\x9f\u202e]", messages.terminal(messages.run_view(row)))


@given(st.lists(runs(), max_size=25), st.lists(text, max_size=30))
@settings(max_examples=60, deadline=None)
def test_replies_are_inert_in_markdown_and_in_slack(rows: list[Run], lines: list[str]) -> None:
    links = {row.number or 0: LINK for row in rows}
    replies = [messages.status_reply(rows, links=links), messages.status_reply(rows)]
    for row in rows[:2]:
        replies += [messages.logs_reply(row, lines, LINK), messages.started(row), messages.stopping(row)]
    for reply in replies:
        assert len(reply) <= 65_000
        assert "html_block" not in rendered(reply).blocks
        assert_no_slack_markup(messages.slack_text(reply))


@given(text, st.integers(min_value=1, max_value=300))
@example("`" * 500, 300)
def test_code_span_holds_its_text(value: str, limit: int) -> None:
    seen = rendered(f"a {messages.code(value, limit)} b")
    assert seen.blocks == ["paragraph_open", "inline"]
    assert seen.outside.split() == (["a", "b"] if seen.inside else ["a", "(empty)", "b"])


@pytest.mark.parametrize("line", ["&" * 500, "x" * 500, "<!channel>", "`"])
def test_long_reply_fits_into_slack(line: str) -> None:
    reply = messages.slack_text(messages.logs_reply(run(), [line] * 2000, LINK))
    assert 1000 < len(reply) <= 20_000
    assert_no_slack_markup(reply)
