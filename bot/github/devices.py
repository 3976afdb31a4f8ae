"""People who log in from a terminal: they type a short code at GitHub, which is asked until they agreed.

This takes no more than the App's client id.
https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#device-flow
"""

import re
from dataclasses import dataclass
from typing import Any

from bot.errors import Refused
from bot.github import answers
from bot.github.transport import Call, Transport
from executor.spec import Secret

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
INTERVAL = 5
"""Seconds between two questions where GitHub says no other number."""
LONGEST = 900
"""Seconds that a code lasts at most."""

DISABLED = "device_flow_disabled"

DEVICE_CODE = re.compile(r"[A-Za-z0-9_-]{20,100}", re.ASCII)
_USER_CODE = re.compile(r"[A-Z0-9]{2,10}(?:-[A-Z0-9]{2,10})?", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9_]{1,300}", re.ASCII)
_WHO = "devices"
"""Whose limits at GitHub these questions count against: nobody else waits for them."""


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What somebody types where: `user_code` at `verification_uri`, within `expires_in` seconds."""

    device_code: str
    user_code: str
    verification_uri: str
    expires_in: int
    interval: int


@dataclass(frozen=True, slots=True)
class Pending:
    """Nobody has agreed yet; ask again no sooner than in `interval` seconds."""

    interval: int | None


class DeviceFlow:
    """The two questions of the flow, to the site whose address is `web`."""

    def __init__(self, site: Transport, web: str, client_id: str) -> None:
        self._site = site
        self._web = web
        self._client_id = client_id

    async def begin(self) -> DeviceCode:
        """A code to type; `Refused` (status `device_flow_disabled`) where the App does not have this flow."""
        call = Call("POST", "login/device/code", body={"client_id": self._client_id}, accept=_JSON)
        try:
            data = (await self._site.send(call, None, _WHO)).data
        except Refused as refused:
            # Which of its errors it is stands in a body that only comes with 400 for this one.
            raise Refused(
                str(refused), status=DISABLED if refused.status == 400 else refused.status
            ) from None
        if (error := answers.text(data, "error")) is not None:
            raise Refused(f"GitHub begins no login of a device ({error}).", status=error)
        made = DeviceCode(
            answers.needed(answers.text(data, "device_code"), "a code of the device"),
            answers.needed(answers.text(data, "user_code"), "a code to type"),
            answers.needed(answers.text(data, "verification_uri"), "where to type it"),
            min(_seconds(data, "expires_in") or LONGEST, LONGEST),
            _seconds(data, "interval") or INTERVAL,
        )
        ours = made.verification_uri.startswith(f"{self._web}/") and made.verification_uri.isprintable()
        if not (ours and DEVICE_CODE.fullmatch(made.device_code) and _USER_CODE.fullmatch(made.user_code)):
            raise Refused("GitHub's codes for the login of a device are none.")
        return made

    async def ask(self, device_code: str) -> Secret | Pending:
        """The person's token, once they agreed; `Refused` with GitHub's error where they will not."""
        body = {"client_id": self._client_id, "device_code": device_code, "grant_type": GRANT}
        call = Call("POST", "login/oauth/access_token", body=body, accept=_JSON)
        data = (await self._site.send(call, None, _WHO)).data
        error = answers.text(data, "error")
        if error in ("authorization_pending", "slow_down"):
            return Pending(_seconds(data, "interval"))
        token = answers.text(data, "access_token")
        if token is None or not _TOKEN.fullmatch(token):
            error = error or "no token"
            raise Refused(f"GitHub ends the login of a device ({error}).", status=error)
        return Secret(token)


_JSON = "application/json"


def _seconds(data: Any, name: str) -> int | None:
    value = answers.field(data, name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 3600 else None
