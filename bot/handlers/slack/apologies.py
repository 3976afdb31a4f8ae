"""What is said in Slack where Errand itself failed."""

from bot import messages
from bot.events import slack
from bot.events.slack_facts import (
    SlackCommand,
    SlackForm,
    SlackMention,
    SlackPress,
    SlackShortcut,
    SlackSpot,
)
from bot.handlers.answers import WENT_WRONG, Answers
from bot.handlers.slack.contexts import unasked
from bot.handlers.slack.form_origins import FormOrigin
from bot.handlers.slack.forms import spot_of
from bot.tables import Delivery, Post


class SlackApologies:
    """Makes them, as answers to who asked."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def of(self, delivery: Delivery) -> list[Post]:
        """None for what nobody waits for."""
        fact = slack.read(slack.payload(delivery.media_type, delivery.body))
        if isinstance(fact, SlackForm):
            spot = _spot(fact)
        elif isinstance(fact, SlackCommand | SlackMention | SlackPress | SlackShortcut):
            spot = fact.spot
        else:
            return []
        context = unasked(delivery.key, fact.asker, spot)
        return self._answers.slack(context, [messages.error_reply(WENT_WRONG)])


def _spot(form: SlackForm) -> SlackSpot | None:
    """Where a form came from; its address for answers may have ended."""
    try:
        origin = FormOrigin.read(form.metadata)
    except ValueError:
        return None
    return spot_of(form, origin, origin.opened)
