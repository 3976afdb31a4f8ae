"""What it means that an API server says no, and which rights it granted before it did."""

import asyncio
import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus

from executor.errors import EngineUnavailable

_MOST = 1024
"""Characters of a server's words that are told."""
_LATER = re.compile(r"[0-9]{1,4}")
_BUSY = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_EARLY = re.compile(r"\bRBAC: .*\bnot found|\bnot yet ready to handle request")
"""What a server says just after its start, which has not read its Roles or what its admission looks at."""
_RIGHT = re.compile(r"\bcannot [a-z]+ (resource|path) ")
"""What authorization says, and neither admission nor a quota: those mean what they say."""
_RIGHTS = 1024
"""Rights that are remembered; those of single objects are many."""
_STARTS = 60.0
"""Seconds after a server was away in which it may not know yet what anybody may do."""


class Refused(Exception):
    """The server said no: its `status`, the machine's `reason` (`AlreadyExists`, ...) and its words."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}" if reason else message)
        self.status = status
        self.reason = reason
        self.message = message


class Deferral(EngineUnavailable):
    """The server answered, but not for good: `refused` is what it said. Who waits needs an end of his own.

    `later`: the seconds after which it wants to be asked again, 0 where it does not say.
    """

    def __init__(self, refused: Refused, later: float = 0.0) -> None:
        words = f"the API server of Kubernetes says {refused.message}"
        super().__init__(words, **({"delay": later} if later else {}))
        self.refused = refused
        self.later = later

    @property
    def is_of_right(self) -> bool:
        """Whether it says that Errand may not."""
        return self.refused.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class Hold(Exception):
    """What is asked for cannot be had yet: `reason` and `words` are those of the end that comes of it."""

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason
        self.words = words


class Rights:
    """What one server granted to this process: what it refuses after that it may grant again.

    A server that starts knows its Roles and its tokens late; a token that is replaced has such a moment, too.
    """

    def __init__(self) -> None:
        self._granted: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._away_at: float | None = None

    def grant(self, method: str, path: str) -> None:
        """A request was answered as it was meant."""
        right = _right(method, path)
        self._granted[right] = None
        self._granted.move_to_end(right)
        if len(self._granted) > _RIGHTS:
            self._granted.popitem(last=False)

    def miss(self) -> None:
        """The server did not answer."""
        self._away_at = asyncio.get_running_loop().time()

    def problem(
        self, method: str, path: str, answer: tuple[int, bytes, Mapping[str, str]]
    ) -> Refused | Deferral:
        """Give what an answer means that is none of success: its status, its body and its headers."""
        status, data, headers = answer
        reason, message = _status(data)
        refused = Refused(status, reason, message[:_MOST] or f"status {status}")
        if self._is_right(refused, message):
            was_granted = _right(method, path) in self._granted
            return Deferral(refused) if was_granted or self._is_starting() else refused
        is_early = status == HTTPStatus.FORBIDDEN and _EARLY.search(message) is not None
        if is_early or status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            said_when = _LATER.fullmatch(headers.get("Retry-After", ""))
            return Deferral(refused, float(said_when[0]) if said_when else 0.0)
        return refused

    def _is_right(self, refused: Refused, message: str) -> bool:
        """Whether it says that Errand may not; a proxy before the server says so without a `Status`."""
        if refused.status == HTTPStatus.UNAUTHORIZED:
            return True
        if refused.status != HTTPStatus.FORBIDDEN or _EARLY.search(message) is not None:
            return False
        return not message or _RIGHT.search(message) is not None

    def _is_starting(self) -> bool:
        return self._away_at is not None and asyncio.get_running_loop().time() < self._away_at + _STARTS


def _right(method: str, path: str) -> tuple[str, str]:
    """Give what a Role grants with it: a name counts where one object is read, as Roles name those."""
    collection, plural, rest = _parts(path)
    name, _, part = rest.partition("/")
    named = f"/{name}" if method == "GET" and name and not part else ""
    return method, f"{collection}{plural}{named}" + (f"//{part}" if part else "")


def _parts(path: str) -> tuple[str, str, str]:
    """Split `/api/v1/namespaces/NAMESPACE/pods/NAME/log` before and after `pods`."""
    before, found, after = path.partition("/namespaces/")
    if not found:
        return path, "", ""
    namespace, _, after = after.partition("/")
    plural, _, rest = after.partition("/")
    return f"{before}/namespaces/{namespace}/", plural, rest


def _status(data: bytes) -> tuple[str, str]:
    """Give the reason and the message of a `Status`; a proxy before the server may answer in HTML."""
    with suppress(ValueError):
        status = json.loads(data)
        if isinstance(status, dict) and status.get("kind") == "Status":
            return str(status.get("reason") or ""), str(status.get("message") or "")
    return "", ""
