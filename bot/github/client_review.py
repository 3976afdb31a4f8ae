"""What GitHub says of the App's client, by which people log in: whether it knows it, and what it allows.

A code that is none gets another error with the right secret than with a wrong one.
https://docs.github.com/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors
"""

from collections.abc import Callable
from dataclasses import dataclass

from bot.errors import Refused
from bot.github import answers
from bot.github.devices import DISABLED, DeviceFlow
from bot.github.logins import AppClient
from bot.github.transport import Call, Transport


@dataclass(frozen=True, slots=True)
class ClientReview:
    """`is_known`: id and secret fit. `has_devices`: people may log in from a terminal, None if untold."""

    is_known: bool
    has_devices: bool | None


async def review_client(client: AppClient, clock: Callable[[], float]) -> ClientReview:
    """Ask; raises `RetryLater`, and `Refused` where GitHub says something else."""
    site = Transport(client.web, clock)
    try:
        body = {"client_id": client.id, "client_secret": client.secret.reveal(), "code": "none"}
        call = Call("POST", "login/oauth/access_token", body=body, accept="application/json")
        try:
            error = answers.text((await site.send(call, None, "nobody")).data, "error")
        except Refused as refused:
            if refused.status != 404:
                raise
            error = "Not Found"
        has_devices: bool | None = True
        try:
            await DeviceFlow(site, client.web, client.id).begin()
        except Refused as refused:
            has_devices = False if refused.status == DISABLED else None
        return ClientReview(error == "bad_verification_code", has_devices)
    finally:
        await site.close()
