"""A card says how a run stands, what can be done, and nothing that came from outside as markup."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import messages
from bot.messages.slack import Action, elements
from bot.states import State, Wait
from bot.tables import Run
from demo.blocks import check_blocks
from executor.spec import Result
from tests.bot.messages.rows import NOW, build, run
from tests.bot.messages.slack.hostile import texts

LINK = "https://errand.example.com/runs/142?expires=1&signature=abc"
GITHUB = "https://github.com/acme/shop"


def shown(row: Run, link: str | None = LINK, **beside: Any) -> tuple[str, list[dict[str, Any]]]:
    """The card."""
    return messages.blocks(messages.run_view(row, messages.Beside(**beside)), link)


def buttons(blocks: list[dict[str, Any]]) -> list[str]:
    """Their actions."""
    return [each["action_id"] for block in blocks if block["type"] == "actions" for each in block["elements"]]


@pytest.mark.parametrize("state", [State.WAITING, State.BUILDING, State.STARTING, State.RUNNING])
def test_what_goes_on_can_be_cancelled_after_a_question(state: State) -> None:
    _, blocks = shown(run(state=state, result=None))
    assert buttons(blocks) == [Action.RUN_CANCEL, Action.RUN_LOG]
    cancel = blocks[-1]["elements"][0]
    assert (cancel["value"], cancel["style"], cancel["confirm"]["style"]) == ("142", "danger", "danger")
    assert cancel["confirm"]["title"]["text"] == "Cancel #142?"


def test_what_stops_already_has_only_its_log() -> None:
    assert buttons(shown(run(state="stopping", result=None))[1]) == [Action.RUN_LOG]
    assert buttons(shown(run(state="stopping", result=None), None)[1]) == []


@pytest.mark.parametrize("result", list(Result))
def test_what_has_ended_can_be_run_again_and_with_changes_where_there_are_any(result: Result) -> None:
    again, change = Action.RUN_AGAIN, Action.RUN_CHANGE
    assert buttons(shown(run(result=result))[1]) == [again, Action.RUN_LOG]
    changeable = run(result=result, definition={"parameters": {"A": {}}})
    assert buttons(shown(changeable)[1]) == [again, change, Action.RUN_LOG]
    assert buttons(shown(run(result=result, image="shop"))[1]) == [again, change, Action.RUN_LOG]


def test_builds_and_single_commands_of_no_repository_have_only_their_log() -> None:
    assert buttons(shown(run(job="exec", repository=None, commit=None))[1]) == [Action.RUN_LOG]
    assert buttons(shown(run(job="exec", image="shop"))[1]) == [Action.RUN_AGAIN, Action.RUN_LOG]
    _, blocks = messages.blocks(messages.build_view(build()), LINK)
    assert buttons(blocks) == [Action.RUN_LOG]


def test_failed_build_is_what_is_to_be_read() -> None:
    row = run(result="error", reason="BuildFailed", build_number=12)
    _, blocks = shown(row, build_link="https://errand.example.com/builds/12")
    log = blocks[-1]["elements"][-1]
    assert (log["text"]["text"], log["url"]) == ("Log of build 12", "https://errand.example.com/builds/12")


def test_person_is_mentioned_and_code_is_linked() -> None:
    row = run(pull_request=7, ref="topic")
    _, blocks = shown(
        row,
        member="U012AB3CD",
        commit_link=f"{GITHUB}/commit/{'a' * 40}",
        pull_link=f"{GITHUB}/pull/7",
        comment_link=f"{GITHUB}/pull/7#issuecomment-5",
    )
    facts = blocks[1]["elements"][0]["text"]
    assert facts.startswith("asked by <@U012AB3CD> in a comment · commit ")
    assert f"<{GITHUB}/commit/{'a' * 40}|acme/shop@{'a' * 12}>" in facts
    assert f"pull request <{GITHUB}/pull/7|#7> · <{GITHUB}/pull/7#issuecomment-5|comment>" in facts
    assert f"ended <!date^{int(NOW)}^{{date_short_pretty}} {{time}}|2027-01-15 08:00 UTC>" in facts
    assert "asked by `octocat` in a comment" in str(shown(row)[1])


@pytest.mark.parametrize(
    ("gone", "usual", "words"),
    [
        (None, 300.0, "is running"),
        (0.4, 300.0, "is running, 0s of about 5m"),
        (130.0, 302.0, "is running, 2m of about 5m"),
        (130.0, None, "is running, 2m"),
        (45.7, None, "is running, 45s"),
        (7500.0, 300.0, "is running, 2h 5m, longer than the usual 5m"),
    ],
)
def test_how_long_it_runs_is_told_beside_how_long_one_takes(
    gone: float | None, usual: float | None, words: str
) -> None:
    row = run(state="running", result=None, finished_at=None, progress={"done": 2, "total": 5})
    text = shown(row, elapsed_s=gone, usual_s=usual)[1][0]["text"]["text"]
    assert text.endswith(f"{words}, ▰▰▱▱▱ 2/5")


def test_place_in_the_queue_is_told_with_its_turn_in_the_readers_zone() -> None:
    on = {"lock": "db", "run": 3, "job": "x", "actor": "github:kim", "place": 2, "around": NOW}
    row = run(state="waiting", result=None, started_at=None, waiting_for=Wait.HELD, waiting_on=on)
    text = shown(row)[1][0]["text"]["text"]
    assert "is waiting for the lock db, held by x #3, asked by kim; place 2 in the queue" in text
    assert f"about <!date^{int(NOW)}^{{date_short_pretty}} {{time}}|" in text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {
                "reason": "OOMKilled",
                "exit_code": 137,
                "message": "It was killed at its memory limit of 512 MiB.",
                "definition": {"resources": {"memory": 512 << 20}},
            },
            "*OOMKilled*: Memory is limited to 512Mi. Raise `size` or `resources.memory`, or let it use"
            " less.",
        ),
        ({"exit_code": 127}, "There is no such command. See to its name, and whether the image has it."),
        ({"reason": "OfTomorrow"}, "*OfTomorrow*"),
        ({"message": "It rains"}, "It rains"),
    ],
)
def test_reason_comes_first_with_what_to_do(fields: dict[str, Any], words: str) -> None:
    _, blocks = shown(run(result="failed", **fields))
    assert blocks[2]["text"]["text"] == words


def test_nothing_hangs_below_what_has_nothing_to_show() -> None:
    assert messages.below(messages.run_view(run(tail=["fine"]))) is None
    assert messages.below(messages.run_view(run(state="running", result=None, tail=["x"]))) is None
    for more in (run(summary="# x"), run(result="failed", tail=["x"]), run(result="timed_out", tail=["x"])):
        assert messages.below(messages.run_view(more)) is not None


def test_last_lines_lead_to_the_log_or_to_that_of_the_build_that_failed() -> None:
    row, build_link = run(result="failed", tail=["x"]), "https://errand.example.com/builds/12"
    _, blocks = messages.below(messages.run_view(row), LINK) or ("", [])
    assert blocks[0]["elements"][0]["text"].startswith(
        "The last lines of <https://errand.example.com/runs/142"
    )
    row = run(result="error", reason="BuildFailed", build_number=12, tail=["x"])
    view = messages.run_view(row, messages.Beside(build_link=build_link))
    _, blocks = messages.below(view, LINK) or ("", [])
    assert blocks[0]["elements"][0]["text"] == f"The last lines of <{build_link}|the log>:"


_MARKUP = re.compile(
    r"<!date\^\d+\^\{date_short_pretty\} \{time\}\|\d{4}-\d\d-\d\d \d\d:\d\d UTC>"
    r"|<@U012AB3CD>|<https?://[^<>|]*\|[^<>]*>"
)


@given(text=texts, state=st.sampled_from(list(State)), result=st.sampled_from(list(Result)))
@settings(max_examples=60, deadline=None)
def test_whatever_comes_is_taken_and_shown_literally(text: str, state: State, result: Result) -> None:
    row = run(
        job=text,
        state=state,
        result=result if state is State.FINISHED else None,
        reason=text,
        message=text,
        waiting_for=text,
        repository=text,
        ref=text,
        commit=text,
        actor=f"github:{text}",
        cause=text,
        parameters={f"{text}{number}": text for number in range(3)},
        arguments=[text],
        tail=[text] * 30,
        summary=text,
        image=text,
        pull_request=7,
        rerun_of=3,
    )
    beside: dict[str, Any] = {"member": text, "commit_link": text, "pull_link": text, "comment_link": text}
    view = messages.run_view(row, messages.Beside(of=run(job=text, parameters={text: text}), **beside))
    for title, blocks in (messages.blocks(view, text), messages.below(view, text) or ("", [])):
        check_blocks(blocks)
        assert len(title) <= 300
        assert elements.size(blocks) <= elements.MESSAGE_CHARACTERS
        json.dumps([title, blocks], ensure_ascii=False).encode()
        for part in (title, *_texts(blocks)):
            rest = _MARKUP.sub("", part)
            assert not re.search("[<>\x00]", re.sub("(?m)^> ", "", rest)), part


@pytest.mark.parametrize("length", [400, 500, 2900, 3000, 100_000])
def test_long_addresses_keep_the_card_within_its_limits(length: int) -> None:
    to = "https://e/" + "&" * (length - 10)
    row = run(result="failed", message="&" * 5000, pull_request=7, parameters={"A": "&" * 500})
    beside: dict[str, Any] = {"commit_link": to, "pull_link": to, "comment_link": to}
    _, blocks = messages.blocks(messages.run_view(row, messages.Beside(**beside)), to)
    check_blocks(blocks)
    assert elements.size(blocks) <= elements.MESSAGE_CHARACTERS
    assert (Action.RUN_LOG in buttons(blocks)) == (length <= elements.URL_CHARACTERS)
    for text in _texts(blocks):
        assert text.count("<") == text.count(">")


def _texts(found: Any) -> list[str]:
    """All texts with markup."""
    if isinstance(found, dict):
        if found.get("type") == "mrkdwn":
            return [found["text"]]
        return [text for each in found.values() for text in _texts(each)]
    return [text for each in found for text in _texts(each)] if isinstance(found, list) else []
