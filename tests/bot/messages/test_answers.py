"""Answers are valid Markdown: no heading falls into a bullet, and long lists come in pages."""

import pytest
from markdown_it import MarkdownIt

from bot import messages
from bot.catalog.catalog import Job
from bot.commands import grammar
from bot.messages.paging import CHARACTERS, LINES


def in_bullets(markdown: str) -> list[str]:
    """The text of every bullet, as a reader sees it."""
    depth, found = 0, []
    for token in MarkdownIt("commonmark").parse(markdown):
        depth += {"list_item_open": 1, "list_item_close": -1}.get(token.type, 0)
        if depth and token.type == "inline":
            found.append(token.content)
    return found


def test_groups_of_the_help_stand_outside_the_bullets() -> None:
    text = grammar.help_text("/job")
    bullets = in_bullets(text)
    assert len(bullets) == len(grammar.VERBS)
    assert all(bullet.startswith("`/job ") and "\n" not in bullet for bullet in bullets)


@pytest.mark.parametrize("verb", sorted(grammar.VERBS))
def test_help_of_a_verb_has_its_options_as_bullets(verb: str) -> None:
    assert all("\n" not in bullet for bullet in in_bullets(grammar.help_text("/job", verb)))


def test_help_of_a_job_has_its_parameters_as_bullets() -> None:
    job = Job.model_validate({"name": "j", "command": "x", "parameters": {"A": {}, "B": {"default": "1"}}})
    assert len(in_bullets(messages.job_help(job))) == 2


def jobs(count: int) -> dict[str, Job]:
    return {f"j{n:03}": Job.model_validate({"name": f"j{n:03}", "command": "x"}) for n in range(count)}


def test_long_lists_come_in_pages_and_lose_nothing() -> None:
    many = jobs(2 * LINES + 1)
    pages = [messages.listing(many, page=page) for page in (1, 2, 3)]
    names = [bullet.strip("`") for text in pages for bullet in in_bullets(text)]
    assert names == sorted(many)
    assert "Page 1 of 3" in pages[0]
    assert "`/job list 2`" in pages[0]
    assert "`/job list" not in pages[2].split("Page")[1]
    assert messages.listing(many, page=99) == pages[2]
    assert "Page" not in messages.listing(jobs(LINES))


def test_pages_of_long_lines_are_shorter_and_whole_in_slack() -> None:
    """Slack cuts what is too long, and writes `&` as five characters."""
    many = {
        f"j{n:02}": Job.model_validate({"name": f"j{n:02}", "command": "x", "description": "&" * 200})
        for n in range(LINES)
    }
    first = messages.listing(many)
    pages = int(first.rpartition("Page 1 of ")[2].split(",")[0])
    texts = [messages.listing(many, page=number + 1) for number in range(pages)]
    assert pages > 1
    assert all(len(text) < CHARACTERS + 200 for text in texts)
    shown = "".join(messages.slack_text(text) for text in texts)
    assert shown.count("&amp;") == 200 * LINES
    assert [name for name in many if f"`{name}`" not in shown] == []


def test_help_of_a_job_with_many_parameters_comes_in_pages() -> None:
    names = [f"P{n}" for n in range(LINES + 1)]
    job = Job.model_validate({"name": "j", "command": "x", "parameters": {name: {} for name in names}})
    pages = [messages.job_help(job, page=page) for page in (1, 2)]
    assert sum(len(in_bullets(text)) for text in pages) == len(names)
    assert "`/job help j 2`" in pages[0]
    assert all(text.startswith("`/job run j`") for text in pages)
