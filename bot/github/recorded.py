"""What GitHub has sent, or tried to, as the App is told when it asks: GitHub keeps it for some days.

Nothing is signed here, for the App asks GitHub itself. https://docs.github.com/rest/apps/webhooks
"""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.github import answers
from bot.github.answers import field, number, text
from bot.github.credentials import App
from bot.github.transport import Call, Transport

PAGE = 100  # GitHub's most

_CURSOR = re.compile(r'[?&]cursor=([A-Za-z0-9_%-]{1,200})[^>]*>;\s*rel="next"')
_GUID = re.compile(r"[0-9A-Za-z-]{1,100}", re.ASCII)
_EVENT = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RecordedDelivery:
    """One try to deliver: `guid` is that of all tries of the same, `sent_at` in seconds since the epoch.

    `status` is what the other side answered, 0 where it did not.
    """

    number: int
    guid: str
    event: str
    sent_at: float
    status: int = 0

    @property
    def arrived(self) -> bool:
        """Whether it was taken."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class RecordedPage:
    """Some of them, the newest first; `older` gives the next page, None where there is none."""

    deliveries: Sequence[RecordedDelivery]
    older: str | None


class RecordedDeliveries:
    """Asks as `app`; raises `RetryLater` and `Refused`."""

    def __init__(self, app: App, transport: Transport) -> None:
        self._app = app
        self._transport = transport

    @property
    def name(self) -> str:
        """Whose they are: another App has others."""
        return self._app.app_id

    async def page(self, older: str | None = None) -> RecordedPage:
        """The newest, or those from `older` on."""
        credential = await self._app.itself()
        call = Call("GET", "app/hook/deliveries", {"per_page": PAGE, "cursor": older})
        answer = await self._transport.send(call, credential.token, credential.who)
        rows = answer.data if isinstance(answer.data, list) else []
        following = _CURSOR.search(answer.headers.get("link") or "")
        return RecordedPage([each for row in rows if (each := _read(row))], following and following[1])

    async def body(self, delivery: RecordedDelivery) -> bytes:
        """The payload as JSON."""
        credential = await self._app.itself()
        call = Call("GET", f"app/hook/deliveries/{delivery.number}", as_text=True)
        answer = await self._transport.send(call, credential.token, credential.who)
        return await asyncio.to_thread(_payload, answer.text)


def _payload(text: str) -> bytes:
    """For a thread, since it may have 25 MB."""
    try:
        payload = field(json.loads(text), "request", "payload")
    except (ValueError, RecursionError):
        payload = None
    return json.dumps(answers.needed(payload, "the payload")).encode()


def _read(row: object) -> RecordedDelivery | None:
    """None for what could not have come in at the door either."""
    key, guid, event = number(row, "id"), text(row, "guid"), text(row, "event")
    sent_at = answers.moment(text(row, "delivered_at"))
    if key is None or guid is None or event is None or sent_at is None:
        return None
    if not _GUID.fullmatch(guid) or not _EVENT.fullmatch(event):
        return None
    return RecordedDelivery(key, guid, event, sent_at, number(row, "status_code") or 0)
