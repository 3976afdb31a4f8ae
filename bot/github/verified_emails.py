"""Whose an e-mail address is, as far as GitHub vouches for it.

An organization that has verified a domain (it owns it) is told which addresses of that domain its members
have verified (they read its mail). Nothing else counts: what stands in a profile or in a commit, anybody may
write.
https://docs.github.com/organizations/managing-organization-settings/verifying-or-approving-a-domain-for-your-organization
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from bot.caches import ExpiringCache
from bot.errors import Refused, RetryLater
from bot.github import graphql
from bot.github.answers import field, text
from bot.github.transport import Answer, Call

KEPT = 600.0
"""Seconds for which the addresses of an organization's members are believed; rights are asked each time."""
RENEWED = 300.0
"""Seconds after which who asks has them read anew, and need not wait for it."""
REFUSAL_KEPT = 60.0
"""Seconds for which GitHub's no is."""
WAIT = 3.0
"""Seconds that somebody waits while they are read; who comes again later finds them."""
LATER = 10.0
"""Seconds after which to come again."""
PAGES = 200
"""Of a hundred members each; of a larger organization nobody is known by an address."""
ORGANIZATIONS = 100
"""Whose members are remembered."""
ADDRESSES = 100
"""Verified addresses of one member that are read."""

_log = structlog.get_logger(__name__)

Index = Mapping[str, frozenset[str]]
"""Logins by address, in lower case."""


class VerifiedEmails:
    """Asks with `send`, as who may act for an organization; `clock` gives seconds."""

    def __init__(self, send: Callable[[str, Call], Awaitable[Answer]], clock: Callable[[], float]) -> None:
        self._send = send
        self._clock = clock
        self._indexes: ExpiringCache[str, tuple[Index | Refused, float]] = ExpiringCache(clock, ORGANIZATIONS)

    async def logins(self, organization: str, address: str) -> frozenset[str]:
        """The members of `organization` who have verified `address`; nobody where there is no organization.

        `RetryLater` where that is not known now, `Refused` where GitHub does not let us know it.
        """
        if not address.isascii():  # lower() makes a plain k of the sign for Kelvin
            return frozenset()
        name = organization.lower()
        try:
            async with asyncio.timeout(WAIT):
                found, read_at = await self._indexes.get(name, lambda: self._fetch(name))
        except TimeoutError:
            raise RetryLater(f"the members of {name} are still being read", delay=LATER) from None
        if isinstance(found, Refused):
            raise found
        if read_at + RENEWED <= self._clock():
            self._indexes.refresh(name, lambda: self._fetch(name))
        return found.get(address.lower(), frozenset())

    async def close(self) -> None:
        """End what is being read."""
        await self._indexes.close()

    async def _fetch(self, organization: str) -> tuple[tuple[Index | Refused, float], float]:
        now = self._clock()
        try:
            return (await self._read(organization), now), now + KEPT
        except Refused as refused:
            if refused.status in (404, "not_installed"):  # an account of a person, or nobody's
                return ({}, now), now + KEPT
            _log.warning("github.no_verified_emails", organization=organization, reason=str(refused))
            return (Refused(str(refused), status=refused.status), now), now + REFUSAL_KEPT

    async def _read(self, organization: str) -> Index:
        index: dict[str, set[str]] = {}
        after: str | None = None
        for _ in range(PAGES):
            answer = await self._send(organization, graphql.members(organization, after))
            page = graphql.data_of(answer, "organization", "membersWithRole")
            for login, address in _addresses(field(page, "nodes")):
                index.setdefault(address, set()).add(login)
            after = text(page, "pageInfo", "endCursor")
            if field(page, "pageInfo", "hasNextPage") is not True or after is None:
                return {address: frozenset(logins) for address, logins in index.items()}
        raise Refused(f"{organization} has too many members to know them by address", status="too_many")


def _addresses(nodes: object) -> list[tuple[str, str]]:
    """Pairs of a login and an address; what no plain address is, is nobody's."""
    pairs: list[tuple[str, str]] = []
    for node in nodes if isinstance(nodes, list) else []:
        login, emails = text(node, "login"), field(node, "organizationVerifiedDomainEmails")
        if login and isinstance(emails, list):
            texts = [each for each in emails[:ADDRESSES] if isinstance(each, str) and each.isascii()]
            pairs += [(login, each.lower()) for each in texts]
    return pairs
