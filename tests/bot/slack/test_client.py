"""Posting, editing, finding and answering in Slack, against the stand-in over HTTP."""

import logging
import time
import traceback

import pytest

import bot.slack.calls as slack_module
from bot.errors import Refused, RetryLater
from bot.slack import Slack
from demo.slack import SlackStandIn
from executor.spec import Secret
from tests.clocks import Clock

BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "hello", "verbatim": True}}]


async def test_message_is_posted_by_name_and_edited_by_id(standin: SlackStandIn, bot: Slack) -> None:
    channel, ts = await bot.post("#ops", "hello", BLOCKS, "n1")
    assert channel == standin.channels[0].id
    await bot.update(channel, ts, "bye", None)
    assert [message.history for message in standin.messages] == [[("hello", BLOCKS), ("bye", [])]]


async def test_message_whose_answer_was_lost_is_found_and_was_not_repeated(
    standin: SlackStandIn, bot: Slack
) -> None:
    standin.drop_answer("chat.postMessage")
    with pytest.raises(RetryLater):
        await bot.post("#ops", "hello", BLOCKS, "n1")
    assert len(standin.messages) == 1
    posted = standin.messages[0]
    assert await bot.find("#ops", "n1", time.time()) == (posted.channel, posted.ts)
    assert await bot.find(posted.channel, "n2", time.time()) is None


async def test_edited_message_is_still_found(standin: SlackStandIn, bot: Slack) -> None:
    channel, ts = await bot.post("#ops", "hello", BLOCKS, "n1")
    await bot.update(channel, ts, "bye", BLOCKS)
    assert await bot.find(channel, "n1", time.time()) == (channel, ts)


async def test_message_of_another_bot_with_our_nonce_is_not_ours(standin: SlackStandIn, bot: Slack) -> None:
    channel, _ = await bot.post("#ops", "hello", BLOCKS, "n1")
    standin.messages[0].bot_id = "B0OTHER"
    assert await bot.find(channel, "n1", time.time()) is None


async def test_message_is_found_behind_many_others(standin: SlackStandIn, bot: Slack) -> None:
    channel, ts = await bot.post("#ops", "hello", BLOCKS, "n1")
    for number in range(120):
        await bot.post(channel, f"{number}", None, f"other{number}")
    assert await bot.find("#ops", "n1", time.time()) == (channel, ts)
    assert await bot.find("#ops", "n1", time.time() + 3600) is None


async def test_channel_is_found_on_a_later_page_of_the_list(
    standin: SlackStandIn, bot: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1005):
        standin.add_channel(f"c{number}")
    standin.drop_answer("chat.postMessage")
    with pytest.raises(RetryLater):
        await bot.post("#c1004", "hello", None, "n1")
    assert await bot.find("#c1004", "n1", time.time()) is not None
    assert await bot.find("#nowhere", "n1", time.time()) is None


@pytest.mark.parametrize("scope", ["channels:history", "channels:read"])
async def test_missing_scope_finds_nothing_and_says_so(
    standin: SlackStandIn, bot: Slack, scope: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await bot.post("#ops", "hello", None, "n1")
    bot._channels._ids.clear()
    standin.scopes.discard(scope)
    assert await bot.find("#ops", "n1", time.time()) is None
    said = capsys.readouterr()
    assert scope in said.out + said.err


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ("not_in_channel", "/invite"),
        ("channel_not_found", "invite Errand"),
        ("is_archived", "archived"),
        ("invalid_auth", "bot_token"),
        ("invalid_blocks", "invalid_blocks"),
        ("something_new", "something_new"),
    ],
)
async def test_final_errors_say_what_to_do(standin: SlackStandIn, bot: Slack, error: str, says: str) -> None:
    standin.say("chat.postMessage", error)
    with pytest.raises(Refused, match=says) as caught:
        await bot.post("#ops", "hello", None, "n1")
    assert caught.value.status == error


async def test_channel_without_us_is_refused(standin: SlackStandIn, bot: Slack) -> None:
    standin.add_channel("quiet", member=False)
    standin.add_channel("hidden", member=False, private=True)
    with pytest.raises(Refused, match="#quiet: invite"):
        await bot.post("#quiet", "hello", None, "n1")
    with pytest.raises(Refused, match="no channel #hidden"):
        await bot.post("#hidden", "hello", None, "n1")


@pytest.mark.parametrize("error", ["internal_error", "fatal_error", "service_unavailable", "request_timeout"])
async def test_passing_errors_are_for_later(standin: SlackStandIn, bot: Slack, error: str) -> None:
    standin.say("chat.postMessage", error)
    with pytest.raises(RetryLater):
        await bot.post("#ops", "hello", None, "n1")


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", {"ok": False}])
@pytest.mark.parametrize("status", [500, 502, 503])
async def test_broken_answers_are_for_later_and_nothing_is_repeated(
    standin: SlackStandIn, bot: Slack, status: int, body: object
) -> None:
    standin.fail("chat.postMessage", status, body=body, times=3)
    with pytest.raises(RetryLater):
        await bot.post("#ops", "hello", None, "n1")
    assert standin.count("chat.postMessage") == 1


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b'"ok"', b"\xff"])
async def test_answer_that_is_not_slacks_is_never_a_success(
    standin: SlackStandIn, bot: Slack, body: bytes
) -> None:
    standin.fail("chat.postMessage", 200, body=body)
    with pytest.raises((RetryLater, Refused)):
        await bot.post("#ops", "hello", None, "n1")


async def test_limit_waits_as_told_and_meanwhile_nothing_is_sent(
    standin: SlackStandIn, bot: Slack, clock: Clock
) -> None:
    standin.limit("chat.postMessage", retry_after=20)
    with pytest.raises(RetryLater) as caught:
        await bot.post("#ops", "hello", None, "n1")
    assert caught.value.delay == 20
    with pytest.raises(RetryLater):
        await bot.post("#ops", "hello", None, "n1")
    assert len(standin.requests) == 1
    clock.ahead = 21
    await bot.post("#ops", "hello", None, "n1")
    assert len(standin.messages) == 1


async def test_limit_of_a_method_in_a_channel_holds_nothing_else(standin: SlackStandIn, bot: Slack) -> None:
    other = standin.add_channel("dev")
    channel, ts = await bot.post("#ops", "hello", None, "n1")
    standin.limit("chat.update", retry_after=20)
    for _ in range(2):
        with pytest.raises(RetryLater):
            await bot.update(channel, ts, "bye", None)
    assert standin.count("chat.update") == 1
    elsewhere = await bot.post(other.id, "hello", None, "n2")
    await bot.update(*elsewhere, "bye", None)
    await bot.post("#ops", "hello again", None, "n3")


async def test_limit_of_a_channel_holds_it_under_its_name_and_its_id(
    standin: SlackStandIn, bot: Slack
) -> None:
    channel, _ = await bot.post("#ops", "hello", None, "n1")
    standin.limit("chat.postMessage", retry_after=20)
    for name in (channel, "#ops", channel):
        with pytest.raises(RetryLater):
            await bot.post(name, "hello", None, "n2")
    assert standin.count("chat.postMessage") == 2


@pytest.mark.parametrize(("header", "delay"), [("100000", 300), ("soon", 30), ("-5", 30)])
async def test_odd_retry_after_stays_within_minutes(
    standin: SlackStandIn, bot: Slack, header: str, delay: float
) -> None:
    standin.fail("chat.postMessage", 429, headers={"Retry-After": header}, body={"ok": False})
    with pytest.raises(RetryLater) as caught:
        await bot.post("#ops", "hello", None, "n1")
    assert caught.value.delay == delay


async def test_slow_slack_is_given_up(
    standin: SlackStandIn, bot: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_module, "CALL_SECONDS", 0.1)
    standin.slow("chat.postMessage", 0.5)
    with pytest.raises(RetryLater):
        await bot.post("#ops", "hello", None, "n1")


async def test_response_url_answers_the_asker_only(standin: SlackStandIn, bot: Slack) -> None:
    await bot.respond(standin.response_url("C1", "U1"), "hello")
    assert [(each.user, each.text, each.response_type) for each in standin.ephemerals] == [
        ("U1", "hello", "ephemeral")
    ]


async def test_used_up_or_expired_response_url_is_refused(
    standin: SlackStandIn, bot: Slack, clock: Clock
) -> None:
    url = standin.response_url("C1", "U1")
    for _ in range(5):
        await bot.respond(url, "hello")
    with pytest.raises(Refused, match="used_url"):
        await bot.respond(url, "hello")
    late = standin.response_url("C1", "U1")
    clock.ahead = 1801
    with pytest.raises(Refused, match="expired_url"):
        await bot.respond(late, "hello")


async def test_failing_response_url_is_for_later(standin: SlackStandIn, bot: Slack) -> None:
    url = standin.response_url("C1", "U1")
    standin.fail("/commands/", 503)
    standin.fail("/commands/", 429, headers={"Retry-After": "9"})
    standin.drop_answer("/commands/")
    delays = []
    for _ in range(3):
        with pytest.raises(RetryLater) as caught:
            await bot.respond(url, "hello")
        delays.append(caught.value.delay)
    assert delays == [None, 9, None]


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.slack.com/commands/x",
        "https://hooks.slack.com.evil.example.com/x",
        "https://hooks.slack.com@evil.example.com/x",
        "https://user@hooks.slack.com/x",
        "https://hooks.slack.com:8443/x",
        "https://evil.example.com/hooks.slack.com",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:1/x",
        "http://localhost/x",
        "file:///etc/passwd",
        "//hooks.slack.com/x",
        "https://hooks.slack.com:99999999/x",
        "https://[::1",
        "https://hooks.slaсk.com/x",
        "",
    ],
)
async def test_response_url_elsewhere_is_never_called(bot: Slack, standin: SlackStandIn, url: str) -> None:
    with pytest.raises(Refused, match="not Slack's"):
        await bot.respond(url, "hello")
    assert standin.requests == []


async def test_response_url_redirect_is_not_followed(standin: SlackStandIn, bot: Slack) -> None:
    url = standin.response_url("C1", "U1")
    standin.fail("/commands/", 307, headers={"Location": standin.response_url("C1", "U2")})
    with pytest.raises(Refused):
        await bot.respond(url, "hello")
    assert standin.ephemerals == []


async def test_no_error_shows_the_token(
    standin: SlackStandIn, bot: Slack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    standin.say("chat.postMessage", "invalid_auth")
    standin.fail("chat.postMessage", 500, body=b"x")
    standin.drop_answer("chat.postMessage")
    for _ in range(3):
        with pytest.raises((RetryLater, Refused)) as caught:
            await bot.post("#ops", "hello", None, "n1")
        assert standin.token not in "".join(traceback.format_exception(caught.value))
    assert standin.token not in caplog.text


async def test_proxy_of_the_environment_is_left_out_where_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,slack.internal")

    def proxy(url: str) -> str | None:
        return Slack(api_url=url, bot_token=Secret("t"), clock=time.time)._calls.client.proxy

    assert proxy("https://slack.com/api/") == "http://proxy.example.com:3128"
    assert proxy("https://slack.internal/api/") is None
    assert proxy("http://127.0.0.1:1/api/") is None
