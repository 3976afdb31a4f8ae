"""One vocabulary: every surface has the same words for every state, result, cause and kind of actor."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from bot import messages
from bot.posting.relations import Relations
from bot.states import ActorKind, Cause, State, Wait
from bot.store.relations import RunRelations
from bot.tables import Build, Run
from bot.text import vocabulary
from executor.spec import Result
from terminal import printing
from tests.bot.messages import rows
from tests.bot.messages.rows import NOW
from webhooks.access import Visitor
from webhooks.api import responses
from webhooks.pages import timeline
from webhooks.pages.renderer import PageRenderer
from webhooks.view import build_summary, run_summary

LONG = 200_000.0
"""Seconds that the runs here took, and had waited before."""
URL = "https://errand.example.com"


def run(**fields: Any) -> Run:
    """One that took long, and waited as long before."""
    times = {"created_at": NOW - 2 * LONG, "started_at": NOW - LONG, "exit_code": None}
    return rows.run(**{**times, **fields})


def page(row: Run) -> str:
    """The head of the run's page and its line in a list, without markup."""
    renderer = PageRenderer(clock=lambda: NOW)
    summary = run_summary(row)
    values: dict[str, Any] = {
        "attempts": (),
        "sidecars": (),
        "build_link": None,
        "wanting": (),
        "may_run": False,
    }
    values |= {"steps": timeline.of_run(row, None, (), alone=False), "visitor": Visitor("token", "token:1")}
    beside: dict[str, Any] = {"related": RunRelations(), "addresses": Relations(), "chain": []}
    text = renderer.render("head.html", summary=summary, **values, **beside)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", text)) + summary.status.symbol


def command_line(row: Run) -> str:
    """What `errand status` prints, by way of the API."""
    document = responses.Run.of_run(row, (), NOW).model_dump(context=URL)
    lines: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(printing, "print", lambda text: lines.append(text), raising=False)
        printing.run(document)
    return "\n".join([*lines, printing.closing(document)])


def chat_line(row: Run) -> str:
    """`status` in a chat; it does not say through which door a run came."""
    return messages.status_reply([row])


CARDS: dict[str, Callable[[Run], str]] = {
    "comment": lambda row: messages.comment(messages.run_view(row), None, nonce="n"),
    "check": lambda row: messages.check(messages.run_view(row), None, nonce="n", now=NOW).summary,
    "Slack": lambda row: str(messages.blocks(messages.run_view(row), None)),
}
SURFACES = {**CARDS, "page": page, "command line": command_line, "chat": chat_line}
LINES: dict[str, Callable[[Run], str]] = {
    "status": lambda row: messages.status(messages.run_view(row), None).description,
    "terminal": lambda row: messages.terminal(messages.run_view(row)),
}
"""Where only what became of it is said."""
IN_CHATS = {*CARDS, "chat", "terminal"}
STANDINGS = [
    *((state, None) for state in State if state is not State.FINISHED),
    *((State.FINISHED, result) for result in Result),
]


@pytest.mark.parametrize("surface", [*SURFACES, *LINES])
@pytest.mark.parametrize(("state", "result"), STANDINGS)
def test_every_state_and_result_has_its_word_on_every_surface(
    surface: str, state: State, result: Result | None
) -> None:
    word = (vocabulary.STATES if result is None else vocabulary.RESULTS)[result or state]  # type: ignore[index]
    text = {**SURFACES, **LINES}[surface](run(state=state, result=result))
    if surface in {*IN_CHATS, *LINES}:
        assert f"142 {word.verb}" in text
        assert f"{word.emoji} " in text or surface == "status"  # GitHub takes none there
    else:
        assert word.label in text.lower()
        assert word.sign in text or result is None


@pytest.mark.parametrize("surface", [each for each in SURFACES if each != "chat"])
@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_its_words_on_every_surface(surface: str, cause: Cause) -> None:
    text = SURFACES[surface](run(cause=cause)).replace("`", "")
    assert vocabulary.CAUSES[cause] in text
    assert re.search(rf"{vocabulary.lead_in(cause)} +octocat", text.lower())


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("kind", ActorKind)
def test_every_kind_of_actor_is_named_on_every_surface(surface: str, kind: ActorKind) -> None:
    actor = kind.named("kim") if kind is not ActorKind.SCHEDULE else str(kind)
    text = SURFACES[surface](run(actor=actor))
    assert vocabulary.who(actor) in text
    assert kind is ActorKind.SCHEDULE or actor not in text
    assert {*vocabulary.ACTORS} == {*ActorKind}


@pytest.mark.parametrize("surface", SURFACES)
def test_durations_and_moments_have_one_form(surface: str) -> None:
    text = SURFACES[surface](run())
    assert "2d 7h" in text
    assert "2027-01-13 00:26 UTC" in text or surface in ("Slack", "command line")
    assert not re.search(r"\d:\d\d(?! UTC)", text)


@pytest.mark.parametrize("cause", Cause)
def test_builds_are_told_in_the_same_words(cause: Cause) -> None:
    row = Build(
        number=7, key="k", name="n", image="shop", repository="acme/shop", commit="a" * 40, cause=cause,
        actor="github:octocat", created_at=NOW,
    )  # fmt: skip
    comment = messages.comment(messages.build_view(row), None, nonce="n")
    assert f"{vocabulary.lead_in(cause)} `octocat` {vocabulary.CAUSES[cause]}" in comment
    assert build_summary(row).cause == cause


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"state": State.STARTING, "waiting_for": "no node has 64 GiB of memory"},
            "starting: no node has 64 GiB of memory",
        ),
        (
            {"state": State.WAITING, "waiting_for": Wait.AHEAD, "waiting_on": {"run": 96, "stopping": False}},
            "waiting for #96 to end",
        ),
        (
            {"state": State.BUILDING, "waiting_for": Wait.TIME, "waiting_on": {"moment": NOW}},
            "building, waiting for ",
        ),
        ({"state": State.WAITING}, "waiting "),
    ],
)
def test_what_an_engine_says_follows_a_colon_on_the_command_line_as_on_cards(
    fields: dict[str, Any], words: str
) -> None:
    assert words in command_line(run(result=None, finished_at=None, **fields))
