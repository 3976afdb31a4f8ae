"""An App that GitHub has just made of a manifest: the code that the browser brings becomes its credentials.

https://docs.github.com/rest/apps/apps#create-a-github-app-from-a-manifest
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.errors import Refused
from bot.github import answers
from bot.github.transport import Call, Transport
from executor.spec import Secret

_CODE = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}", re.ASCII)
_PAGE = re.compile(r"https?://[A-Za-z0-9.:-]{1,255}(/[A-Za-z0-9-]{1,100}){1,3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Registration:
    """The App: its number, its name in addresses, its page, and its secrets, which GitHub tells this once."""

    app_id: str
    slug: str
    page: str
    private_key: Secret = field(repr=False)
    webhook_secret: Secret = field(repr=False)
    client_id: str
    client_secret: Secret = field(repr=False)

    @property
    def installing(self) -> str:
        """Where it is installed on repositories."""
        return f"{self.page}/installations/new"


async def register(api_url: str, code: str, clock: Callable[[], float]) -> Registration:
    """Exchange the code, which GitHub takes once and within an hour; raises `RetryLater`, `Refused`."""
    if not _CODE.fullmatch(code):
        raise Refused("That is no code of GitHub's.")
    transport = Transport(api_url, clock)
    try:
        call = Call("POST", f"app-manifests/{code}/conversions")
        data = (await transport.send(call, None, "nobody")).data
    finally:
        await transport.close()
    slug = answers.needed(answers.text(data, "slug"), "what the App is called")
    page = answers.needed(answers.text(data, "html_url"), "the page of the App")
    if not _SLUG.fullmatch(slug) or not _PAGE.fullmatch(page):
        raise Refused("GitHub's answer names no App.")
    return Registration(
        app_id=str(answers.needed(answers.number(data, "id"), "the number of the App")),
        slug=slug,
        page=page,
        private_key=Secret(answers.needed(answers.text(data, "pem"), "the private key")),
        webhook_secret=Secret(answers.needed(answers.text(data, "webhook_secret"), "the webhook secret")),
        client_id=answers.needed(answers.text(data, "client_id"), "the id of the App's client"),
        client_secret=Secret(answers.needed(answers.text(data, "client_secret"), "the client secret")),
    )
