"""What came over Socket Mode is the delivery that it would have been over HTTP."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.errors import RetryLater
from bot.events.slack import payload
from webhooks.deliveries import slack_requests
from webhooks.deliveries.intake import Intake
from webhooks.deliveries.slack_requests import SlackRequest, SlackRequests
from webhooks.server.unverified import Unverified

COMMAND = {
    "command": "/job",
    "text": "run migrate ü",
    "trigger_id": "1.2.a",
    "user_id": "U1",
    "channel_id": "C1",
}
PRESS = {"type": "block_actions", "trigger_id": "1.2.b", "actions": [{"action_id": "run.cancel"}]}
EVENT = {"type": "event_callback", "event_id": "Ev1", "event": {"type": "app_mention", "text": "hi"}}


def _taken(rows: list[dict[str, Any]]) -> SlackRequests:
    async def add(**row: Any) -> None:
        rows.append(row)

    intake = Intake("slack", add, limit=1 << 20, patience=0.2, unverified=Unverified())
    return SlackRequests(intake, lambda: 7.0)


def _over_http(sent: dict[str, Any], type: str) -> SlackRequest:
    if type == "events_api":
        return slack_requests.of_json(sent, json.dumps(sent).encode())
    form = {"payload": json.dumps(sent)} if type == "interactive" else sent
    return slack_requests.of_form(form, urlencode(form).encode())


@pytest.mark.parametrize(
    ("type", "sent"), [("slash_commands", COMMAND), ("interactive", PRESS), ("events_api", EVENT)]
)
async def test_envelope_has_the_key_and_the_fields_of_the_same_thing_over_http(
    type: str, sent: dict[str, Any]
) -> None:
    rows: list[dict[str, Any]] = []
    requests = _taken(rows)
    await requests.take(_over_http(sent, type), b"1:")
    assert await requests.take_envelope(type, sent) is None
    first, second = rows
    assert (first["key"], first["event"]) == (second["key"], second["event"])
    assert (
        payload(first["media_type"], first["body"]) == payload(second["media_type"], second["body"]) == sent
    )


async def test_repeated_envelope_without_an_id_is_one() -> None:
    rows: list[dict[str, Any]] = []
    requests = _taken(rows)
    for _ in range(2):
        await requests.take_envelope("interactive", {"type": "view_closed", "view": {"id": "V1"}})
    await requests.take_envelope("interactive", {"type": "view_closed", "view": {"id": "V2"}})
    assert len({row["key"] for row in rows}) == 2


async def test_envelope_of_another_type_is_acknowledged_and_not_stored() -> None:
    rows: list[dict[str, Any]] = []
    assert await _taken(rows).take_envelope("something_new", {"trigger_id": "1"}) is None
    assert rows == []


async def test_envelope_that_is_not_stored_is_to_be_sent_again() -> None:
    async def add(**_row: Any) -> None:
        raise RetryLater("the database does not answer")

    intake = Intake("slack", add, limit=1 << 20, patience=0.05, unverified=Unverified())
    with pytest.raises(RetryLater):
        await SlackRequests(intake, lambda: 7.0).take_envelope("slash_commands", COMMAND)


async def test_what_is_answered_at_once_is_not_stored_whichever_way_it_came() -> None:
    rows: list[dict[str, Any]] = []

    async def add(**row: Any) -> None:
        rows.append(row)

    intake = Intake("slack", add, limit=1 << 20, patience=0.2, unverified=Unverified())
    errors = {"response_action": "errors", "errors": {"parameter.COUNT": "Expected an integer."}}
    requests = SlackRequests(intake, lambda: 7.0, lambda sent: errors if "view" in sent else None)
    form = {"type": "view_submission", "trigger_id": "1.2", "view": {"id": "V1"}}
    assert await requests.take(_over_http(form, "interactive")) == errors
    assert await requests.take_envelope("interactive", form) == errors
    assert rows == []
    assert await requests.take_envelope("interactive", PRESS) is None
    assert await requests.take_envelope("slash_commands", COMMAND | {"view": "of nobody"}) is None
    assert [row["event"] for row in rows] == ["interactivity", "command"]


async def test_what_is_answered_at_once_is_so_over_socket_mode_as_well() -> None:
    rows: list[dict[str, Any]] = []

    async def add(**row: Any) -> None:
        rows.append(row)

    def instant(fields: Any) -> dict[str, Any] | None:
        return {"options": []} if fields["type"] == "block_suggestion" else None

    intake = Intake("slack", add, limit=1 << 20, patience=0.2, unverified=Unverified())
    requests = SlackRequests(intake, lambda: 7.0, instant)
    assert await requests.take_envelope("interactive", {"type": "block_suggestion"}) == {"options": []}
    assert rows == []
    assert await requests.take_envelope("interactive", PRESS) is None
    assert len(rows) == 1
