"""Opens forms. Slack's trigger lasts three seconds, and whoever asks for a form waits for it.

Whether somebody may is asked first. Where that takes long a form that says nothing is opened meanwhile, and
becomes what the answer is: the form, or why there is none. https://docs.slack.dev/surfaces/modals
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from bot import messages
from bot.errors import AskerError, Elsewhere, Refused, RetryLater
from bot.events.slack_facts import SlackAsker, SlackSpot
from bot.handlers.answers import WENT_WRONG, Answers
from bot.handlers.authorization import RequestContext
from bot.handlers.conversation import Conversation, Press, Step
from bot.handlers.slack.contexts import SlackContexts, unasked
from bot.messages.slack import forms
from bot.messages.slack.elements import Block
from bot.slack import Slack
from bot.tables import Delivery
from bot.text.wording import quoted

CLOSED = "not_found"
"""What Slack says of a modal that was closed meanwhile."""
PATIENCE = 1.0
"""Seconds until somebody sees that their rights are being looked up, of the three that a trigger lasts."""

Content = Callable[[RequestContext], Awaitable[Block]]
"""The form for whoever asks; raises `AskerError` and `RetryLater`."""

UNKNOWN = "It cannot be found out now what you may do; please try again soon."

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Opening:
    """Somebody wants a form: in what was sent, by `asker`, with `trigger` or in the modal `view` already.

    `spot` is where they asked, None on Home. `line` is the command that does without a form, `job` the job
    that it would start, where that is known. `press`: the button that was pressed.
    """

    delivery: Delivery
    asker: SlackAsker
    spot: SlackSpot | None
    trigger: str
    line: str
    job: str | None = None
    view: str | None = None
    press: Press | None = None


class FormOpener:
    """Opens them."""

    def __init__(
        self, slack: Slack, contexts: SlackContexts, conversation: Conversation, answers: Answers
    ) -> None:
        self._slack = slack
        self._contexts = contexts
        self._conversation = conversation
        self._answers = answers

    async def open(self, opening: Opening, content: Content) -> None:
        """Show the form, or why there is none, and settle the delivery."""
        talk, press = self._conversation, opening.press
        if press is not None and await talk.repeats(press):
            await talk.end(opening.delivery, "handled", f"{opening.asker.user} presses once more")
            return
        asking = asyncio.create_task(self._content(opening, content))
        view, context = opening.view, unasked(opening.delivery.key, opening.asker, opening.spot)
        try:
            if view is None and not (await asyncio.wait({asking}, timeout=PATIENCE))[0]:
                view = await self._open(opening, forms.waiting())
            context, shown = await asking
            if isinstance(shown, AskerError):
                raise shown
            await self._show(opening, view, shown)
        except AskerError as error:
            await self._refuse(opening, context, view, error)
        except Exception:
            if view is not None:  # or it says for ever that it takes a moment
                await self._say(opening, view, AskerError(WENT_WRONG))
            raise
        else:
            await talk.end(opening.delivery, "handled", f"{context.actor} opens a form")
        finally:
            asking.cancel()

    async def _content(self, opening: Opening, content: Content) -> tuple[RequestContext, Block | AskerError]:
        """Who asks, and what there is for them."""
        context = unasked(opening.delivery.key, opening.asker, opening.spot)
        try:
            context = await self._contexts.of(opening.delivery.key, opening.asker, opening.spot)
            context = await self._conversation.admit(context, [opening.job] if opening.job else [])
            return context, await content(context)
        except AskerError as error:
            return context, error
        except (RetryLater, Refused) as error:
            log.warning("slack.no_form", key=opening.delivery.key, why=str(error))
            return context, Elsewhere(UNKNOWN)

    async def _show(self, opening: Opening, view: str | None, shown: Block) -> None:
        if view is None:
            await self._open(opening, shown)
            return
        try:
            await self._slack.update_view(view, shown)
        except (RetryLater, Refused) as error:
            if getattr(error, "status", None) != CLOSED:  # whoever closed it does not want it any more
                raise _not_taken(opening, error) from None

    async def _open(self, opening: Opening, shown: Block) -> str:
        """The id of the modal; `Elsewhere` with the command to type where Slack does not take it."""
        try:
            return await self._slack.open_view(opening.trigger, shown)
        except (RetryLater, Refused) as error:
            raise _not_taken(opening, error) from None

    async def _refuse(
        self, opening: Opening, context: RequestContext, view: str | None, error: AskerError
    ) -> None:
        """Say why there is no form: in the modal that is open, else where it was asked, else in a modal."""
        is_said = False
        if view is not None or opening.spot is None:
            is_said = await self._say(opening, view, error)
        await self._conversation.decide(
            opening.delivery,
            context,
            [Step(error, opening.job)],
            lambda texts, failed: [] if is_said else self._answers.slack(context, texts),
            f"{context.actor} gets no form",
        )

    async def _say(self, opening: Opening, view: str | None, error: AskerError) -> bool:
        """Whether it could be said in a modal: the one that is open, or a new one."""
        notice = forms.notice(messages.error_reply(str(error)))
        try:
            if view is not None:
                await self._slack.update_view(view, notice)
            else:
                await self._slack.open_view(opening.trigger, notice)
        except (RetryLater, Refused) as failed:
            log.warning("slack.no_form", key=opening.delivery.key, why=str(failed))
            return False
        return True


def _not_taken(opening: Opening, error: Exception) -> Elsewhere:
    status = getattr(error, "status", None)
    log.warning("slack.no_form", key=opening.delivery.key, why=str(error))
    why = f" ({quoted(str(status))})" if status else ""
    return Elsewhere(f"Slack did not show the form{why}. Please try again, or type `{opening.line}`.")
