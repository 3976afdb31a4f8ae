"""Slash commands.

https://docs.slack.dev/interactivity/implementing-slash-commands
"""

from collections.abc import Mapping

from bot.events.facts import Ignored, SlackCommand


def read(event: str, form: Mapping[str, str]) -> SlackCommand | Ignored:
    """A form that Slack sent; `event` is what the door calls it."""
    if event != "command":
        return Ignored(f"nothing here listens to Slack's {event}")
    missing = [name for name in ("trigger_id", "user_id", "channel_id") if not form.get(name)]
    if missing:
        return Ignored(f"the payload lacks what is needed, first: {missing[0]}")
    return SlackCommand(
        trigger=form["trigger_id"],
        user=form["user_id"],
        channel=form["channel_id"],
        channel_name=form.get("channel_name", ""),
        text=form.get("text", ""),
        response_url=form.get("response_url", ""),
    )
