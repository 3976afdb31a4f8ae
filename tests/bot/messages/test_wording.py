"""What cards and replies say, and how."""

import re
from dataclasses import dataclass
from typing import Any

import pytest

from bot import messages
from bot.states import Hold, Wait
from bot.tables import Run
from demo.blocks import check_blocks
from tests.bot.messages.rows import NOW, build, run

LINK = "https://errand.example.com/runs/142?expires=1&signature=abc"


def comment(row: Run, link: str | None = LINK) -> str:
    return messages.comment(messages.run_view(row), link, nonce="n1")


def test_succeeded_run_reads_well_in_a_notification() -> None:
    body = comment(run())
    assert body.splitlines()[0] == f"✅ **migrate** [#142]({LINK}) succeeded in 1m 12s"
    assert comment(run(), None).splitlines()[0] == "✅ **migrate** #\u200b142 succeeded in 1m 12s"


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"result": "failed", "exit_code": 3}, "❌ migrate #142 failed with exit code 3 after 1m 12s"),
        ({"result": "failed", "exit_code": None}, "❌ migrate #142 failed after 1m 12s"),
        ({"result": "cancelled"}, "🚫 migrate #142 was cancelled after 1m 12s"),
        ({"result": "cancelled", "started_at": None}, "🚫 migrate #142 was cancelled"),
        ({"result": "timed_out"}, "⌛ migrate #142 timed out after 1m 12s"),
        (
            {"result": "error", "reason": "ImagePullBackOff", "message": "The image is gone."},
            "⚠️ migrate #142 could not be carried out after 1m 12s: The image is gone. "
            "See to its name, tag and `credentials`. (ImagePullBackOff)",
        ),
        ({"result": "of the future"}, "⚠️ migrate #142 could not be carried out after 1m 12s"),
        ({"state": "waiting", "waiting_for": "build #3"}, "🕓 migrate #142 is waiting: build #3"),
        ({"state": "building"}, "🔨 migrate #142 is building"),
        ({"state": "starting"}, "🕓 migrate #142 is starting"),
        ({"state": "running"}, "▶️ migrate #142 is running"),
        ({"state": "stopping"}, "⏹️ migrate #142 is stopping"),
    ],
)
def test_every_state_and_result_has_its_words(fields: dict[str, Any], line: str) -> None:
    assert messages.terminal(messages.run_view(run(**fields))) == line


@pytest.mark.parametrize(
    ("result", "conclusion", "state"),
    [
        ("succeeded", "success", "success"),
        ("failed", "failure", "failure"),
        ("cancelled", "cancelled", "error"),
        ("timed_out", "timed_out", "failure"),
        ("error", "failure", "error"),
        ("of the future", "failure", "error"),
    ],
)
def test_only_success_is_told_as_success(result: str, conclusion: str, state: str) -> None:
    row = run(result=result)
    assert messages.check(messages.run_view(row), LINK, nonce="n1", now=NOW).conclusion == conclusion
    assert messages.status(messages.run_view(row), LINK).state == state


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("waiting", "queued"),
        ("building", "in_progress"),
        ("running", "in_progress"),
        ("stopping", "in_progress"),
    ],
)
def test_open_run_is_pending(state: str, status: str) -> None:
    row = run(state=state, result=None)
    assert messages.check(messages.run_view(row), LINK, nonce="n1", now=NOW).status == status
    assert messages.status(messages.run_view(row), LINK).state == "pending"


def test_failed_card_has_the_last_twenty_lines_and_the_way_on() -> None:
    body = comment(run(result="failed", exit_code=3, tail=[f"line {number}" for number in range(30)]))
    assert "line 9\n" not in body
    assert "\n```text\nline 10\n" in body
    assert body.count("line 29\n```") == 1
    assert "again: `/job rerun #142`" in body
    assert f"[Log]({LINK})" in body
    assert "line" not in comment(run(tail=["line"]))


def test_card_tells_who_what_and_with_which_parameters() -> None:
    body = comment(run(parameters={"SINCE": "2024-01-01", "EMPTY": ""}, arguments=["--fast"], rerun_of=140))
    assert "asked by `octocat` in a comment" in body
    assert "queued `8s`" in body
    assert f"commit acme/shop@{'a' * 40}" in body
    assert "`SINCE=2024-01-01` `EMPTY=` `-- --fast`" in body
    assert "again from `#140`" in body


def test_card_is_a_line_and_one_of_facts_with_the_rest_folded_away() -> None:
    build = "https://errand.example.com/builds/12"
    slack, line = "https://acme.slack.com/archives/C1/p1", "/job run migrate NOTE='```'"
    row = run(image="shop", digest=f"registry/shop@sha256:{'b' * 64}", build_number=12, ref="topic")
    view = messages.run_view(row, messages.Beside(build_link=build, slack_link=slack, line=line))
    head, facts, details, moments, typed, end, footer = messages.comment(view, LINK, nonce="n1").split(
        "\n\n"
    )[:7]
    assert head.startswith("✅ **migrate** [#142]")
    assert facts == (
        f"asked by `octocat` in a comment · commit acme/shop@{'a' * 40} · image `shop` `{'b' * 12}`"
        f" · [build \u200b12]({build}) · [Log]({LINK}) · [Slack]({slack})"
    )
    assert (details, end) == ("<details><summary>Details</summary>", "</details>")
    assert moments.startswith("exit code `0` · ref `topic` · queued")
    assert typed == f"````text\n{line}\n````"
    assert footer == "again: `/job rerun #142`"


@pytest.mark.parametrize(
    ("digest", "page"),
    [
        (f"ghcr.io/acme/shop@sha256:{'b' * 64}", "https://ghcr.io/acme/shop"),
        (f"quay.io/acme/shop:1@sha256:{'b' * 64}", "https://quay.io/repository/acme/shop"),
        (f"docker.io/library/python@sha256:{'b' * 64}", "https://hub.docker.com/r/library/python"),
        (f"registry.example.com/shop@sha256:{'b' * 64}", None),
        ("ghcr.io/a)](https://evil.example.com", None),
        ("shop-1a2b", None),
    ],
)
def test_card_leads_to_the_image_where_its_registry_shows_it(digest: str, page: str | None) -> None:
    body = comment(run(image="shop", digest=digest))
    assert (f"image [`shop`]({page})" if page else "image `shop`") in body
    assert "evil" not in body


def test_parameters_with_their_defaults_are_not_told() -> None:
    definition = {"parameters": {"A": {"default": "1"}, "B": {"default": "2"}, "C": {"default": None}}}
    row = run(definition=definition, parameters={"A": "1", "B": "3", "C": ""})
    for body in (comment(row), str(messages.blocks(messages.run_view(row), LINK))):
        assert "A=1" not in body
        assert "B=3" in body
        assert "C=" in body
    assert "with " not in comment(run(definition=definition, parameters={"A": "1", "B": "2"}))


def test_check_and_slack_lead_to_the_pull_request() -> None:
    row = run(pull_request=7)
    link = "https://github.com/acme/shop/pull/7"
    view = messages.run_view(row, messages.Beside(pull_link=link))
    assert "pull request acme/shop#7" in messages.check(view, LINK, nonce="n1", now=NOW).summary
    assert f"pull request <{link}|#7>" in str(messages.blocks(view, LINK))


def test_blank_reason_is_no_reason() -> None:
    row = run(reason=" ", message="\u00a0\n")
    assert messages.terminal(messages.run_view(row)) == messages.terminal(messages.run_view(run()))
    assert messages.blocks(messages.run_view(row), LINK) == messages.blocks(messages.run_view(run()), LINK)
    assert (
        messages.terminal(messages.run_view(run(state="waiting", waiting_for=" ")))
        == "🕓 migrate #142 is waiting"
    )


def test_check_does_not_repeat_the_commit_that_it_is_on() -> None:
    assert "a" * 40 not in messages.check(messages.run_view(run()), LINK, nonce="n1", now=NOW).summary


def test_waiting_card_says_for_what_and_how_to_stop() -> None:
    body = comment(
        run(state="waiting", result=None, waiting_for=Wait.AHEAD, started_at=None, finished_at=None)
    )
    assert "is waiting for another run" in body
    assert "stop: `/job cancel #142`" in body


@pytest.mark.parametrize(
    ("state", "says", "card"),
    [
        ("waiting", "The registry does not answer.", "#142 is waiting: The registry does not answer."),
        ("starting", "0/1 nodes are available", "#142 is starting: 0/1 nodes are available"),
        ("waiting", "0/1 nodes are available", "#142 is waiting: 0/1 nodes are available"),
        ("waiting", Wait.AHEAD, "#142 is waiting for another run"),
        ("building", Wait.TIME, "#142 is building, waiting for its time"),
    ],
)
def test_what_the_engine_waits_for_is_a_sentence_whatever_it_begins_with(
    state: str, says: str, card: str
) -> None:
    row = run(state=state, result=None, waiting_for=says, started_at=None, finished_at=None)
    assert card in messages.status(messages.run_view(row), None).description
    assert card.partition(" ")[2] in comment(row).replace("\\", "")


def test_people_in_slack_are_not_pinged() -> None:
    title, blocks = messages.blocks(messages.run_view(run(actor="slack:U012AB3CD", cause="slack")), LINK)
    assert "asked by `somebody in Slack`" in str(blocks)
    assert "asked by `somebody in Slack`" in comment(run(actor="slack:U012AB3CD", cause="rerun"))
    assert "<@" not in title + str(blocks)


def test_builds_are_told_like_runs() -> None:
    waiting, failed = build(), build(state="finished", result="failed", reason="SetupFailed", tail=["no pip"])
    assert messages.terminal(messages.build_view(waiting)) == "🕓 shop build #12 is waiting"
    assert messages.terminal(messages.build_view(failed)) == (
        "❌ shop build #12 failed: Its `setup` failed. The last lines of the log say where. "
        "(SetupFailed)\n    no pip"
    )
    assert "rerun" not in messages.comment(messages.build_view(failed), LINK, nonce="n1")
    check = messages.check(messages.build_view(failed), LINK, nonce="n1", now=NOW)
    assert (check.name, check.conclusion, check.text) == (
        "errand / build shop",
        "failure",
        "```text\nno pip\n```",
    )
    assert messages.status(messages.build_view(waiting), None).context == "errand / build shop"
    title, blocks = messages.blocks(messages.build_view(failed), LINK)
    assert title == "❌ shop build #12 failed"
    check_blocks(blocks)


@pytest.mark.parametrize("nonce", ["", "a b", "-->", "x\n", "é"])
def test_marker_takes_plain_nonces_only(nonce: str) -> None:
    with pytest.raises(ValueError, match="nonce"):
        messages.marker(nonce)


@pytest.mark.parametrize("link", ["https://e/x y", "https://e/)<b>|`\n", "https://e/(a)[b]"])
def test_link_cannot_end_itself(link: str) -> None:
    body = comment(run(), link)
    target = re.sub("[^A-Za-z0-9:/\\[\\]]", lambda found: f"%{ord(found[0]):02X}", link)
    assert f"[#142]({target})" in body
    check_blocks(messages.blocks(messages.run_view(run()), link)[1])


@dataclass
class Described:
    """A job as far as a listing cares."""

    description: str | None = None
    starters: tuple[str, ...] = ()


def test_listing_shows_jobs_in_order_with_their_descriptions() -> None:
    jobs = {"migrate": Described("Apply *all* migrations"), "backup": Described()}
    assert messages.listing(jobs).splitlines() == [
        "Start one with `/job run NAME`:",
        "",
        "- `backup`",
        "- `migrate`: Apply \\*all\\* migrations",
    ]
    assert messages.slack_text(messages.listing(jobs)).splitlines() == [
        "Start one with `/job run NAME`:",
        "• `backup`",
        "• `migrate`: Apply *all* migrations",
    ]
    assert "Page 1 of 3" in messages.listing({f"j{number}": Described() for number in range(150)})
    assert messages.listing({}) == "No jobs are defined here."


def test_status_without_runs_and_logs_without_lines() -> None:
    assert messages.status_reply([]) == "There are no such runs."
    by_hand, by_itself = run(), run(actor="schedule", cause="schedule", tick_at=NOW)
    assert ", asked by `" in messages.status_reply([by_hand])
    assert ", started by `schedule`" in messages.status_reply([by_itself])
    assert " by schedule " in messages.status(messages.run_view(by_itself), None).description
    assert " by " not in messages.status(messages.run_view(by_hand), None).description
    assert "and 5 more" in messages.status_reply([run()] * 25)
    assert "Nothing was written yet." in messages.logs_reply(run(), [], None)
    assert messages.logs_reply(run(), ["a", "b"], LINK).splitlines()[2:5] == ["```text", "a", "b"]


def test_who_starts_what_needs_a_yes_is_told_of_whom() -> None:
    held = run(hold=Hold.APPROVAL, approval={"from": ["github:octocat"], "count": 1})
    assert messages.started(held).endswith("waits for a yes of `github:octocat`.")
    assert messages.started(run()).endswith("is on its way.")


def test_short_replies() -> None:
    assert "slack.people" in messages.unknown_person()
    assert messages.error_reply("No such job.") == "🤔 No such job."
    assert messages.joined(["a", "", "b"]) == "a\n\nb"
    assert messages.building(build()) == f"shop build #\u200b12 from `{'b' * 12}` is on its way."


def test_markdown_becomes_slacks_own_markup() -> None:
    link = "[x](https://e.example.com/?a=1&b=2)"
    markdown = f"**bold** *it* `a<b` {link}\n\n- one\n- two\n\n```\n<!here>\n```\n\n<@U1>"
    assert messages.slack_text(markdown) == (
        "*bold* _it_ `a&lt;b` <https://e.example.com/?a=1&amp;b=2|x>\n• one\n• two\n"
        "```\n&lt;!here&gt;\n```\n&lt;@U1&gt;"
    )
