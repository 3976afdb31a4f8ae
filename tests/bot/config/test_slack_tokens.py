"""Secrets of Slack are told apart by how they begin, and never shown."""

import pytest

from bot.config.slack_tokens import Kind, mistake


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.BOT_TOKEN, "xoxb-1-a"),
        (Kind.BOT_TOKEN, " xoxb-1-a\n"),
        (Kind.APP_TOKEN, "xapp-1-A0-1-f"),
        (Kind.SIGNING_SECRET, "8f742231b10e8888abcd99yyyzzz85a5"),
    ],
)
def test_right_kind_is_taken(kind: Kind, text: str) -> None:
    assert mistake(kind, text) is None


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        (Kind.BOT_TOKEN, "xoxp-hunter22", "a person's token (xoxp-…)"),
        (Kind.BOT_TOKEN, "xapp-hunter22", "an app-level token (xapp-…)"),
        (Kind.BOT_TOKEN, "xoxe.xoxb-hunter22", "token rotation is on"),
        (Kind.BOT_TOKEN, "hunter22", "which begins with xoxb- (on the app's page: OAuth & Permissions)"),
        (Kind.APP_TOKEN, "xoxb-hunter22", "a bot's token (xoxb-…)"),
        (Kind.SIGNING_SECRET, "xoxb-hunter22", "a bot's token (xoxb-…)"),
        (Kind.SIGNING_SECRET, "xoxc-hunter22", "a browser's token (xoxc-…)"),
        (Kind.BOT_TOKEN, "xoxb-hunter22 xoxb-2", "a character that none has"),
        (Kind.SIGNING_SECRET, "hunter22ü", "a character that none has"),
        (Kind.BOT_TOKEN, "", "needed here is the Bot User OAuth Token"),
    ],
)
def test_other_kind_is_told_by_what_it_is(kind: Kind, text: str, told: str) -> None:
    problem = mistake(kind, text)
    assert problem is not None
    assert told in problem
    assert "hunter22" not in problem
