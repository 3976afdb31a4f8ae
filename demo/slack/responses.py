"""Where a command or a press is answered, for half an hour.

https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from demo.slack.content import flag_of, message_content
from demo.slack.errors import SlackError
from demo.slack.workspace import RESPONSE_SECONDS, Ephemeral, Json, Message, ResponseUrl, Workspace


class Responses:
    """Takes what is sent to response URLs, five times each. The bot need not be in the channel."""

    def __init__(self, workspace: Workspace) -> None:
        self._in = workspace

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        known = self._in.responses.get(request.url.path)
        if known is None:
            return PlainTextResponse("no_team", 404)
        if self._in.clock() - known.made_at > RESPONSE_SECONDS:
            return PlainTextResponse("expired_url", 404)
        if known.left < 1:
            return PlainTextResponse("used_url", 404)
        try:
            self.take(known, json.loads(await request.body()))
        except (ValueError, AttributeError):
            return PlainTextResponse("invalid_payload", 400)
        except SlackError as error:
            return PlainTextResponse(error.name, 400 if error.name != "channel_is_archived" else 403)
        known.left -= 1
        return PlainTextResponse("ok")

    def take(self, known: ResponseUrl, body: Json) -> None:
        """Do what an answer says: delete or replace what was pressed, or say something new."""
        if flag_of(body, "delete_original"):
            self._delete(known.of)
            return
        text, blocks = message_content(body, self._in.refused_blocks)
        self._in.accept("response_url", body)
        kind = body.get("response_type", "ephemeral")
        if known.of is not None and flag_of(body, "replace_original"):
            _replace(known.of, text, blocks)
        elif kind == "in_channel":
            self._post(known, text, blocks, body)
        else:
            thread = body.get("thread_ts")
            message = Ephemeral(
                known.channel, known.user, text, blocks, "ephemeral", self._in.stamp(), thread
            )
            self._in.ephemerals.append(message)

    def _post(self, known: ResponseUrl, text: str, blocks: list[Json], body: Json) -> None:
        if self._in.place(known.channel).archived:
            raise SlackError("channel_is_archived")
        thread: Any = body.get("thread_ts")
        message = Message(known.channel, self._in.stamp(), self._in.bot_id, None, [(text, blocks)], thread)
        self._in.messages.append(message)

    def _delete(self, of: Message | Ephemeral | None) -> None:
        if isinstance(of, Ephemeral):
            of.deleted = True
        elif of is not None:
            self._in.messages.remove(of)


def _replace(of: Message | Ephemeral, text: str, blocks: list[Json]) -> None:
    if isinstance(of, Ephemeral):
        of.text, of.blocks = text, blocks
    else:
        of.history.append((text, blocks))
