"""People of the Slack stand-in: what they press must be there, and what Slack sends is complete."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from demo.deliveries import Delivery, sign_slack
from demo.slack import SlackStandIn, Unfillable
from tests.clocks import Clock, clock

__all__ = ["clock"]

SECRET = "signing-secret"
ADA = "U0ADA"


def button(action: str, value: str = "1", text: str = "Press") -> dict[str, Any]:
    label = {"type": "plain_text", "text": text}
    return {"type": "button", "action_id": action, "value": value, "text": label}


def field(name: str, element: dict[str, Any], **more: Any) -> dict[str, Any]:
    label = {"type": "plain_text", "text": name}
    element = {"action_id": "value", **element}
    return {"type": "input", "block_id": f"parameter.{name}", "label": label, "element": element, **more}


def option(value: str) -> dict[str, Any]:
    return {"text": {"type": "plain_text", "text": value.upper()}, "value": value}


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    title = {"type": "plain_text", "text": "Run a job"}
    submit = {"type": "plain_text", "text": "Run"}
    return {"type": "modal", "callback_id": "run", "title": title, "submit": submit, **more} | {
        "blocks": list(blocks)
    }


class App:
    """An app that answers what it was told to, and calls methods over HTTP."""

    def __init__(self, slack: SlackStandIn, http: httpx.AsyncClient) -> None:
        self.slack = slack
        self.http = http
        self.answers: list[httpx.Response] = []
        self.deliveries: list[Delivery] = []

    async def take(self, delivery: Delivery) -> httpx.Response:
        self.deliveries.append(delivery)
        return self.answers.pop(0) if self.answers else httpx.Response(200)

    @property
    def payload(self) -> Any:
        """What came last."""
        body = self.deliveries[-1].body.decode()
        return json.loads(parse_qs(body)["payload"][0]) if body.startswith("payload=") else json.loads(body)

    async def call(self, method: str, **arguments: Any) -> Any:
        return (await self.http.post(f"/api/{method}", json=arguments)).json()


@pytest.fixture
async def app(clock: Clock) -> AsyncIterator[App]:
    slack = SlackStandIn(clock=clock)
    slack.add_channel("ops")
    slack.add_person("ada", id=ADA)
    headers = {"Authorization": f"Bearer {slack.token}"}
    transport = httpx.ASGITransport(app=slack)
    async with httpx.AsyncClient(transport=transport, base_url="http://slack", headers=headers) as http:
        made = App(slack, http)
        slack.reach(made.take, SECRET)
        yield made


async def test_pressed_button_arrives_signed_with_its_message(app: App) -> None:
    blocks = [{"type": "actions", "elements": [button("run.cancel", "7", "Cancel")]}]
    await app.call("chat.postMessage", channel="#ops", text="#7", blocks=blocks)
    message = app.slack.messages[0]
    await app.slack.press(message, "run.cancel", user=ADA)
    delivery = app.deliveries[0]
    stamp = int(delivery.headers["X-Slack-Request-Timestamp"])
    assert (
        sign_slack(SECRET, delivery.body, stamp)["X-Slack-Signature"] == delivery.headers["X-Slack-Signature"]
    )
    payload = app.payload
    assert (payload["type"], payload["user"]["id"], payload["channel"]["name"]) == (
        "block_actions",
        ADA,
        "ops",
    )
    assert payload["message"]["ts"] == payload["container"]["message_ts"] == message.ts
    (action,) = payload["actions"]
    assert (action["action_id"], action["value"], action["text"]["text"]) == ("run.cancel", "7", "Cancel")
    assert action["block_id"] == payload["message"]["blocks"][0]["block_id"]
    answered = await app.http.post(payload["response_url"].removeprefix(app.slack.url), json={"text": "hm"})
    assert answered.text == "ok"
    assert [(each.user, each.text) for each in app.slack.ephemerals] == [(ADA, "hm")]


async def test_what_is_not_there_cannot_be_pressed(app: App) -> None:
    blocks = [{"type": "actions", "elements": [button("job.run", name)]} for name in "ab"]
    await app.call("chat.postMessage", channel="#ops", text="jobs", blocks=blocks)
    (message,) = app.slack.messages
    for action, value in (("run.again", None), ("job.run", None), ("job.run", "c")):
        with pytest.raises(LookupError):
            await app.slack.press(message, action, value=value)
    await app.slack.press(message, "job.run", value="b")
    await app.call("chat.update", channel=message.channel, ts=message.ts, text="done", blocks=[])
    with pytest.raises(LookupError):
        await app.slack.press(message, "job.run", value="b")
    assert len(app.deliveries) == 1


async def test_modal_opens_once_and_soon(app: App, clock: Clock) -> None:
    await app.slack.slash("run migrate")
    trigger = parse_qs(app.deliveries[0].body.decode())["trigger_id"][0]
    view = modal(field("A", {"type": "plain_text_input"}))
    assert (await app.call("views.open", trigger_id="1.2.x", view=view))["error"] == "invalid_trigger_id"
    opened = await app.call("views.open", trigger_id=trigger, view=view)
    assert opened["view"]["state"]["values"] == {
        "parameter.A": {"value": {"type": "plain_text_input", "value": None}}
    }
    assert (await app.call("views.open", trigger_id=trigger, view=view))["error"] == "exchanged_trigger_id"
    await app.slack.shortcut("run_job")
    clock.ahead = 4
    late = await app.call("views.open", trigger_id=app.payload["trigger_id"], view=view)
    assert late["error"] == "expired_trigger_id"
    assert len(app.slack.views) == 1


async def test_form_is_filled_in_as_slack_lets_people(app: App) -> None:
    await app.slack.shortcut("run_job", user=ADA)
    view = modal(
        field("NAME", {"type": "plain_text_input", "max_length": 5}),
        field("COUNT", {"type": "number_input", "is_decimal_allowed": False, "min_value": "1"}),
        field("PLACE", {"type": "static_select", "options": [option("a"), option("b")]}),
        field("DRY", {"type": "checkboxes", "options": [option("true")]}, optional=True),
        field("SINCE", {"type": "datepicker", "initial_date": "2026-01-01"}),
    )
    await app.call("views.open", trigger_id=app.payload["trigger_id"], view=view)
    (form,) = app.slack.views
    with pytest.raises(Unfillable) as caught:
        await app.slack.submit(form, {"parameter.NAME": "longer", "parameter.COUNT": "0"})
    assert set(caught.value.mistakes) == {"parameter.NAME", "parameter.COUNT", "parameter.PLACE"}
    with pytest.raises(LookupError):
        await app.slack.submit(form, {"parameter.PLACE": "c"})
    with pytest.raises(LookupError):
        await app.slack.submit(form, user="U012AB3CD")
    values = {"parameter.NAME": "ada", "parameter.COUNT": 3, "parameter.PLACE": "B", "parameter.DRY": True}
    await app.slack.submit(form, values)
    state = app.payload["view"]["state"]["values"]
    assert {name: each["value"] for name, each in state.items()} == {
        "parameter.NAME": {"type": "plain_text_input", "value": "ada"},
        "parameter.COUNT": {"type": "number_input", "value": "3"},
        "parameter.PLACE": {"type": "static_select", "selected_option": option("b")},
        "parameter.DRY": {"type": "checkboxes", "selected_options": [option("true")]},
        "parameter.SINCE": {"type": "datepicker", "selected_date": "2026-01-01"},
    }
    assert not form.open


async def test_answer_to_a_form_is_shown(app: App) -> None:
    await app.slack.shortcut("run_job")
    first, second = modal(field("A", {"type": "plain_text_input"})), modal({"type": "divider"})
    await app.call("views.open", trigger_id=app.payload["trigger_id"], view=first)
    (form,) = app.slack.views
    wrong = {"response_action": "errors", "errors": {"parameter.A": "is no date"}}
    app.answers = [httpx.Response(200, json=wrong), httpx.Response(200, json=wrong | {"errors": {"B": "x"}})]
    await app.slack.submit(form, {"parameter.A": "x"})
    assert (form.open, form.errors) == (True, {"parameter.A": "is no date"})
    with pytest.raises(ValueError, match="errors are shown at inputs"):
        await app.slack.submit(form)
    app.answers = [httpx.Response(200, json={"response_action": "push", "view": second})]
    await app.slack.submit(form)
    above = app.slack.views[-1]
    assert (above.previous, form.open, above.open) == (form.id, True, True)
    app.answers = [httpx.Response(200, json={"response_action": "clear"})]
    await app.slack.submit(above)
    assert (form.open, above.open) == (False, False)


async def test_menu_with_a_search_asks_the_app(app: App) -> None:
    await app.slack.shortcut("run_job")
    view = modal(field("JOB", {"type": "external_select", "min_query_length": 0}))
    await app.call("views.open", trigger_id=app.payload["trigger_id"], view=view)
    app.answers = [httpx.Response(200, json={"options": [option("migrate")]})]
    await app.slack.submit(app.slack.views[0], {"parameter.JOB": "migrate"})
    asked, submitted = (json.loads(parse_qs(each.body.decode())["payload"][0]) for each in app.deliveries[1:])
    assert (asked["type"], asked["value"]) == ("block_suggestion", "migrate")
    chosen = submitted["view"]["state"]["values"]["parameter.JOB"]["value"]["selected_option"]
    assert chosen == option("migrate")


async def test_view_is_changed_by_who_knows_its_hash(app: App) -> None:
    await app.slack.shortcut("run_job")
    opened = await app.call(
        "views.open", trigger_id=app.payload["trigger_id"], view=modal({"type": "divider"})
    )
    where = {"view_id": opened["view"]["id"], "view": modal({"type": "divider"})}
    assert (await app.call("views.update", hash="1.x", **where))["error"] == "hash_conflict"
    assert (await app.call("views.update", hash=opened["view"]["hash"], **where))["ok"]
    assert (await app.call("views.update", hash=opened["view"]["hash"], **where))["error"] == "hash_conflict"
    await app.slack.close(app.slack.views[0])
    assert (await app.call("views.update", **where))["error"] == "not_found"


async def test_home_is_published_and_pressed(app: App) -> None:
    home = {"type": "home", "blocks": [{"type": "actions", "elements": [button("home.refresh")]}]}
    await app.slack.open_home(user=ADA)
    assert (app.payload["event"]["type"], "view" in app.payload["event"]) == ("app_home_opened", False)
    for _ in range(2):
        assert (await app.call("views.publish", user_id=ADA, view=home))["ok"]
    await app.slack.press(app.slack.homes[ADA], "home.refresh")
    assert (app.payload["user"]["id"], app.payload["container"]["type"]) == (ADA, "view")
    await app.slack.open_home(user=ADA)
    assert app.payload["event"]["view"]["id"] == app.slack.homes[ADA].id
    app.slack.surfaces.home_enabled = False
    assert (await app.call("views.publish", user_id=ADA, view=home))["error"] == "not_enabled"


async def test_ephemeral_message_is_replaced_and_deleted_where_it_was_pressed(app: App) -> None:
    blocks = [{"type": "actions", "elements": [button("list.page", "2")]}]
    await app.call("chat.postEphemeral", channel="#ops", user=ADA, text="jobs", blocks=blocks)
    (said,) = app.slack.ephemerals
    await app.slack.press(said, "list.page")
    assert (app.payload["container"]["is_ephemeral"], "message" in app.payload) == (True, False)
    where = app.payload["response_url"].removeprefix(app.slack.url)
    await app.http.post(where, json={"replace_original": True, "text": "page 2"})
    assert (said.text, len(app.slack.ephemerals)) == ("page 2", 1)
    await app.http.post(where, json={"delete_original": True})
    assert said.deleted


async def test_links_unfold_where_they_were_shared(app: App) -> None:
    address = "https://errand.example.com/runs/7"
    message = await app.slack.share(address)
    assert app.payload["event"]["links"] == [{"url": address, "domain": "errand.example.com"}]
    card = {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "#7"}}]}
    where = {"channel": message.channel, "ts": message.ts}
    other = {"https://example.com": card}
    assert (await app.call("chat.unfurl", unfurls=other, **where))["error"] == "cannot_unfurl_message"
    assert (await app.call("chat.unfurl", unfurls={address: card}, **where))["ok"]
    assert message.unfurls == {address: card}
    app.slack.scopes.discard("links:write")
    assert (await app.call("chat.unfurl", unfurls={address: card}, **where))["needed"] == "links:write"


async def test_mention_in_a_thread_and_an_event_that_comes_again(app: App) -> None:
    root = app.slack.write("what now?", user=ADA)
    await app.slack.mention("run migrate", user=ADA, thread=root.ts)
    first = app.payload
    assert (first["event"]["text"], first["event"]["thread_ts"]) == ("<@U0ERRAND> run migrate", root.ts)
    await app.slack.repeat()
    assert app.payload == first
    assert app.deliveries[1].headers["X-Slack-Retry-Num"] == "1"
    posted = await app.call("chat.postMessage", channel="#ops", text="yes", thread_ts=root.ts)
    assert posted["message"]["thread_ts"] == root.ts
    lost = await app.call("chat.postMessage", channel="#ops", text="yes", thread_ts="1.000001")
    assert lost["error"] == "thread_not_found"
    shown = await app.call("conversations.replies", channel=posted["channel"], ts=root.ts)
    assert [each["text"] for each in shown["messages"]] == ["what now?", "<@U0ERRAND> run migrate", "yes"]


async def test_people_are_shown_as_what_they_are(app: App) -> None:
    guest = app.slack.add_person("gus", guest="ultra_restricted", email="gus@example.com")
    stranger = app.slack.add_person("sue", team="T0OTHER", email="sue@example.org")
    group = app.slack.add_group("ops", ADA, guest)
    shown = (await app.call("users.info", user=guest.id))["user"]
    assert (shown["is_restricted"], shown["is_ultra_restricted"]) == (True, True)
    assert shown["profile"]["email"] == "gus@example.com"
    other = (await app.call("users.info", user=stranger.id))["user"]
    assert (other["is_stranger"], other["team_id"], "email" in other["profile"]) == (True, "T0OTHER", False)
    assert (await app.call("usergroups.users.list", usergroup=group.id))["users"] == [ADA, guest.id]
    assert [each["handle"] for each in (await app.call("usergroups.list"))["usergroups"]] == ["ops"]
    assert (await app.call("users.lookupByEmail", email="GUS@example.com"))["user"]["id"] == guest.id
    app.slack.scopes.discard("users:read.email")
    assert "email" not in (await app.call("users.info", user=guest.id))["user"]["profile"]
    refused = await app.call("users.lookupByEmail", email="gus@example.com")
    assert refused["needed"] == "users:read.email"


async def test_channel_takes_a_message_a_second(app: App, clock: Clock) -> None:
    app.slack.pace(1.0)
    app.slack.add_channel("other")
    said = {"channel": "#ops", "text": "x"}
    answers = [await app.http.post("/api/chat.postMessage", json=said) for _ in range(2)]
    answers.append(await app.http.post("/api/chat.postMessage", json={**said, "channel": "#other"}))
    assert [each.status_code for each in answers] == [200, 429, 200]
    assert answers[1].headers["retry-after"] == "1"
    clock.ahead = 1.1
    assert (await app.http.post("/api/chat.postMessage", json=said)).status_code == 200


async def test_ended_token_ends_everything_and_is_told(app: App) -> None:
    await app.slack.revoke("account_inactive")
    assert [json.loads(each.body)["event"]["type"] for each in app.deliveries] == [
        "tokens_revoked",
        "app_uninstalled",
    ]
    assert (await app.call("auth.test"))["error"] == "account_inactive"


async def test_scopes_of_the_token_stand_in_a_header(app: App) -> None:
    answer = await app.http.post("/api/auth.test")
    assert set(answer.headers["x-oauth-scopes"].split(",")) == app.slack.scopes
    app_token = {"Authorization": f"Bearer {app.slack.app_token}"}
    wrong = await app.http.post("/api/auth.test", headers=app_token)
    assert wrong.json()["error"] == "not_allowed_token_type"
