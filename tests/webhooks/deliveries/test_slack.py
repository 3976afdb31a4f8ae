import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from starlette.applications import Starlette

from webhooks.deliveries import slack

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = 1_531_420_618.0
FORM = "application/x-www-form-urlencoded"
COMMAND = {
    "command": "/job",
    "text": "run migrate",
    "trigger_id": "13345224609.738474920.8088930838d88f008e0",
}

Rows = list[dict[str, Any]]


def _sign(body: bytes, timestamp: str = str(int(NOW))) -> str:
    return "v0=" + hmac.new(SECRET.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()


async def _post(
    body: bytes,
    media_type: str = FORM,
    *,
    rows: Rows,
    secret: str | list[str] | None = SECRET,
    **changed: Any,
) -> httpx.Response:
    async def add(**row: Any) -> None:
        rows.append(row)

    routes = slack.routes(
        [secret] if isinstance(secret, str) else secret or [],
        add_delivery=add,
        limit=25 << 20,
        clock=lambda: NOW,
    )
    headers: dict[str, Any] = {
        "X-Slack-Request-Timestamp": str(int(NOW)),
        "X-Slack-Signature": _sign(body),
        "Content-Type": media_type,
    } | {name.replace("_", "-"): value for name, value in changed.items()}
    transport = httpx.ASGITransport(Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://errand.test") as client:
        kept = {name: value for name, value in headers.items() if value is not None}
        return await client.post("/webhooks/slack", content=body, headers=kept)


@pytest.fixture
def rows() -> Rows:
    return []


async def test_command_is_stored_and_acknowledged_with_nothing(rows: Rows) -> None:
    body = urlencode(COMMAND).encode()
    answer = await _post(body, rows=rows)
    assert (answer.status_code, answer.content) == (200, b"")
    assert rows == [
        {
            "key": f"slack:{COMMAND['trigger_id']}",
            "source": "slack",
            "event": "command",
            "media_type": FORM,
            "body": body,
            "now": NOW,
        }
    ]


def test_signature_is_the_one_of_slacks_documentation() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    assert _sign(body, "1531420618") == "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


async def test_interactivity_and_events_carry_slacks_ids(rows: Rows) -> None:
    payload = urlencode({"payload": json.dumps({"type": "block_actions", "trigger_id": "12.34.ab"})}).encode()
    assert (await _post(payload, rows=rows)).status_code == 200
    event = json.dumps({"type": "event_callback", "event_id": "Ev08MFMKH6"}).encode()
    for _ in range(2):
        assert (await _post(event, "application/json", rows=rows)).status_code == 200
    assert [(row["event"], row["key"]) for row in rows] == [
        ("interactivity", "slack:12.34.ab"),
        ("event", "slack:Ev08MFMKH6"),
        ("event", "slack:Ev08MFMKH6"),
    ]


async def test_what_has_no_usable_id_gets_one_from_its_content(rows: Rows) -> None:
    for trigger in ("", "a b", "x" * 201, "ä"):
        body = urlencode({"command": "/job", "trigger_id": trigger}).encode()
        for _ in range(2):
            assert (await _post(body, rows=rows)).status_code == 200
    keys = [row["key"] for row in rows]
    assert keys[::2] == keys[1::2]
    assert len(set(keys)) == 4


async def test_address_check_is_answered_with_its_challenge(rows: Rows) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a", "token": "x"}).encode()
    answer = await _post(body, "application/json", rows=rows)
    assert (answer.status_code, answer.json()) == (200, {"challenge": "3eZbrw1a"})
    assert (await _post(b"ssl_check=1&token=x", rows=rows)).status_code == 200
    assert rows == []


@pytest.mark.parametrize(
    "changed",
    [
        {"X_Slack_Signature": None},
        {"X_Slack_Signature": ""},
        {"X_Slack_Signature": "v0=" + "0" * 64},
        {"X_Slack_Signature": "v0=é".encode()},
        {"X_Slack_Signature": b"v0=\xff"},
        {"X_Slack_Request_Timestamp": None},
        {"X_Slack_Request_Timestamp": "soon"},
        {"X_Slack_Request_Timestamp": "-1"},
        {"X_Slack_Request_Timestamp": "1e9"},
        {"X_Slack_Request_Timestamp": "9" * 5000},
        {"X_Slack_Request_Timestamp": "٣".encode()},
    ],
)
async def test_missing_or_wrong_signature_is_unauthorized(rows: Rows, changed: dict[str, Any]) -> None:
    assert (await _post(urlencode(COMMAND).encode(), rows=rows, **changed)).status_code == 401
    assert rows == []


@pytest.mark.parametrize(("age", "status"), [(299, 200), (301, 401), (-299, 200), (-301, 401)])
async def test_signature_is_good_for_five_minutes(rows: Rows, age: int, status: int) -> None:
    body = urlencode(COMMAND).encode()
    timestamp = str(int(NOW) - age)
    changed = {"X_Slack_Request_Timestamp": timestamp, "X_Slack_Signature": _sign(body, timestamp)}
    assert (await _post(body, rows=rows, **changed)).status_code == status


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"\xff\xfe", FORM, 401),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"payload={", FORM, 400),
        (b"payload=[]", FORM, 400),
        (b"a=1&" * 101, FORM, 400),
        (b"{}", "text/plain", 415),
        (b"x" * (slack.LIMIT + 1), FORM, 413),
    ],
)
async def test_malformed_bodies_are_refused_never_500(
    rows: Rows, body: bytes, media_type: str, status: int
) -> None:
    assert (await _post(body, media_type, rows=rows)).status_code == status
    assert rows == []


@pytest.mark.parametrize("secrets", [[SECRET, "new"], ["new", SECRET], ["new", " ", "other", SECRET]])
async def test_each_of_several_secrets_fits(rows: Rows, secrets: list[str]) -> None:
    body = urlencode(COMMAND).encode()
    assert (await _post(body, rows=rows, secret=secrets)).status_code == 200
    assert (await _post(body, rows=rows, secret=["new", "other"])).status_code == 401
    assert len(rows) == 1


@pytest.mark.parametrize("secret", [None, "", " "])
async def test_door_without_secret_stays_closed(rows: Rows, secret: str | None) -> None:
    answer = await _post(urlencode(COMMAND).encode(), rows=rows, secret=secret)
    assert (answer.status_code, rows) == (503, [])
