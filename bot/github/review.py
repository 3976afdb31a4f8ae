"""What GitHub says of the App itself: what it may do and hear, where it is, what became of deliveries.

https://docs.github.com/rest/apps/apps and https://docs.github.com/rest/apps/webhooks
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.github import answers
from bot.github.credentials import App
from bot.github.recorded import RecordedDeliveries, RecordedDelivery
from bot.github.transport import Call, Transport
from executor.spec import Secret

PAGE = 100
"""Installations that are looked at: GitHub's most of a page."""


@dataclass(frozen=True, slots=True)
class Installed:
    """The App on one account. What it was given may be older than what it asks for today."""

    account: str
    permissions: Mapping[str, str]
    events: tuple[str, ...]
    suspended: bool


@dataclass(frozen=True, slots=True)
class AppReview:
    """The App as GitHub has it; deliveries with the newest first."""

    slug: str
    client_id: str | None
    permissions: Mapping[str, str]
    events: tuple[str, ...]
    hook: str
    installations: tuple[Installed, ...]
    deliveries: tuple[RecordedDelivery, ...]


async def review(api_url: str, app_id: str, private_key: Secret, clock: Callable[[], float]) -> AppReview:
    """Ask; raises `RetryLater`, `Refused`, and `ConfigError` for a key that is none."""
    transport = Transport(api_url, clock)
    app = App(app_id, private_key, transport, clock)
    try:
        itself = await app.itself()

        async def get(path: str, **query: int) -> Any:
            return (await transport.send(Call("GET", path, query=query), itself.token, itself.who)).data

        about = await get("app")
        hook = await get("app/hook/config")
        installations = await get("app/installations", per_page=PAGE)
        deliveries = await RecordedDeliveries(app, transport).page()
    finally:
        await app.close()
        await transport.close()
    return AppReview(
        slug=answers.text(about, "slug") or app_id,
        client_id=answers.text(about, "client_id"),
        permissions=_levels(about),
        events=_events(about),
        hook=answers.text(hook, "url") or "",
        installations=tuple(_installed(each) for each in _listed(installations)),
        deliveries=tuple(deliveries.deliveries),
    )


def _listed(data: Any) -> list[Any]:
    return data if isinstance(data, list) else []


def _levels(data: Any) -> dict[str, str]:
    found = answers.field(data, "permissions")
    pairs = found.items() if isinstance(found, Mapping) else ()
    return {name: level for name, level in pairs if isinstance(level, str)}


def _events(data: Any) -> tuple[str, ...]:
    return tuple(each for each in _listed(answers.field(data, "events")) if isinstance(each, str))


def _installed(data: Any) -> Installed:
    return Installed(
        account=answers.text(data, "account", "login") or "?",
        permissions=_levels(data),
        events=_events(data),
        suspended=answers.field(data, "suspended_at") is not None,
    )
