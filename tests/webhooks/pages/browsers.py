"""Browsers in which somebody has logged in to the pages of a house."""

import httpx
from starlette.applications import Starlette

from bot.store import tokens
from tests.bot.house import House
from tests.webhooks.sites import composed
from webhooks.access import Access, new_token, token_hash
from webhooks.site import Site

URL = "http://errand.test"
OWN = {"sec-fetch-site": "same-origin"}


async def of_person(home: House, login: str) -> httpx.AsyncClient:
    """A browser in which `login` has logged in."""
    site = composed(home.bot, url=URL)
    access: Access = site._access()
    return _browser(site, access, await access.login_person(login, address="", agent=""))


async def of_token(home: House, *scopes: str) -> httpx.AsyncClient:
    """A browser in which somebody has logged in with a token of these scopes."""
    site = composed(home.bot, url=URL)
    access: Access = site._access()
    text = new_token()
    await home.write(lambda s: tokens.add(s, name="ci", hash=token_hash(text), now=home.now, scopes=scopes))
    return _browser(site, access, await access.login(text))


def _browser(site: Site, access: Access, cookie: str | None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(Starlette(routes=site.routes()))
    cookies = {access.cookie: cookie} if cookie else {}
    return httpx.AsyncClient(transport=transport, base_url=URL, cookies=cookies)
