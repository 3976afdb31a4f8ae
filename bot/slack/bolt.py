"""The one door to Bolt, which dispatches what Slack sent once it is stored.

What came in was verified, stored and acknowledged by the door; Bolt's own verification is off, and what it
acknowledges reaches nobody. It finds the listener of a request; listeners read the fact and call its
handler, whose exceptions go on to the caller, who tries again.

Three of Bolt's habits are turned off: it takes a token from the environment and asks `auth.test` with it at
the first request, it answers before a listener has ended, and it makes a log line of what a listener raises.
https://docs.slack.dev/tools/bolt-python/concepts/async
"""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.events import slack as readers
from bot.events.facts import Ignored
from bot.events.slack_facts import SlackFact
from bot.slack.listeners import Listeners
from bot.tables import Delivery

Fact = TypeVar("Fact", bound=SlackFact)
Json = Mapping[str, Any]

_ANY = re.compile("")
_log = logging.getLogger(__name__)
_log.setLevel(logging.ERROR)  # what nobody listens to is told by who dispatches, and without its payload


class Dispatcher:
    """Has each delivery handled by the listener that is for it."""

    def __init__(self, listeners: Listeners) -> None:
        self._app = _app()
        listen, app = self._listener, self._app
        app.command(_ANY)(listen(readers.read_command, listeners.command))
        app.action(_ANY)(listen(readers.read_press, listeners.press))
        app.view_submission(_ANY)(listen(readers.read_form, listeners.form))
        app.shortcut(_ANY)(listen(readers.read_shortcut, listeners.shortcut))
        app.event("app_mention")(listen(readers.read_mention, listeners.mention))
        app.event("app_home_opened")(listen(readers.read_home, listeners.home))
        app.event("link_shared")(listen(readers.read_links, listeners.links))
        for event in readers.REVOCATIONS:
            app.event(event)(listen(readers.read_revoked, listeners.revoked))
        app.error(_keep)

    async def dispatch(self, delivery: Delivery, payload: dict[str, Any]) -> str | None:
        """Have `payload`, which is that of `delivery`, handled; gives why nothing was done, if so.

        Raises what the handler raises, and `Unreadable`.
        """
        # Bolt's other mode takes the raw body, and parses it once more.
        request = AsyncBoltRequest(body=payload, mode="socket_mode", context={"delivery": delivery})
        response = await self._app.async_dispatch(request)
        failure = request.context.get("failure")
        if isinstance(failure, BaseException):
            raise failure
        if response.status == 404:
            return "no listener of ours is for it"
        ignored = request.context.get("ignored")
        return str(ignored) if ignored is not None else None

    @staticmethod
    def _listener(
        read: Callable[[Json], Fact | Ignored], handle: Callable[[Delivery, Fact], Awaitable[None]]
    ) -> Callable[..., Awaitable[None]]:
        async def listener(body: dict[str, Any], context: AsyncBoltContext, ack: AsyncAck) -> None:
            await ack()  # or Bolt takes it for a request that nobody listens to
            fact = read(body)
            if isinstance(fact, Ignored):
                context["ignored"] = fact.why
            else:
                await handle(context["delivery"], fact)

        return listener


async def _keep(error: Exception, context: AsyncBoltContext) -> None:
    """Let who dispatches have what a listener raised."""
    context["failure"] = error


async def _authorize(**_about: Any) -> AuthorizeResult:
    """No listener calls Slack through Bolt, so none has a token."""
    return AuthorizeResult(enterprise_id=None, team_id=None)


def _app() -> AsyncApp:
    return AsyncApp(
        name="errand",
        logger=_log,
        client=AsyncWebClient(),  # without a token, or Bolt takes that of the environment
        authorize=_authorize,
        process_before_response=True,
        request_verification_enabled=False,
        ssl_check_enabled=False,
        url_verification_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
