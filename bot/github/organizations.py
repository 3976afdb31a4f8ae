"""Organizations: who belongs to them or to a team of them, and what else they may be asked."""

from urllib.parse import quote

import structlog

from bot.errors import Refused, RetryLater
from bot.github import answers, graphql
from bot.github.credentials import App
from bot.github.transport import Answer, Call, Transport
from executor.spec import Secret

PAGES = 20
"""Of a hundred teams each that somebody is in."""

_log = structlog.get_logger(__name__)


class Organizations:
    """Asks as the App that is installed there, or with the token."""

    def __init__(self, app: App | None, token: Secret | None, transport: Transport) -> None:
        self._app = app
        self._token = token
        self._transport = transport

    async def has(self, login: str, organization: str, team: str | None = None) -> bool | None:
        """Whether `login` is a member of it, or of its team with this slug; raises `RetryLater`.

        None where the App is not installed there, or may not read members: what is not known is no right.
        https://docs.github.com/rest/orgs/members and https://docs.github.com/rest/teams/members
        """
        segment = answers.login_segment(login)
        if segment is None or answers.login_segment(organization) is None:
            return False
        path = f"orgs/{organization}/members/{segment}"
        if team is not None:
            path = f"orgs/{organization}/teams/{quote(team, safe='')}/memberships/{segment}"
        try:
            answer = await self.ask(organization, Call("GET", path, may_lack=True, kept=False))
        except Refused as refused:
            if refused.status == 404:
                return False
            _log.warning("github.members_unknown", organization=organization, why=str(refused))
            return None
        return team is None or answers.text(answer.data, "state") == "active"

    async def has_team(self, organization: str, team: str) -> bool | None:
        """Whether there is a team with this slug; None where that cannot be seen. Raises `RetryLater`.

        https://docs.github.com/rest/teams/teams#get-a-team-by-name
        """
        path = f"orgs/{organization}/teams/{quote(team, safe='')}"
        try:
            await self.ask(organization, Call("GET", path, may_lack=True, kept=False))
        except Refused as refused:
            return False if refused.status == 404 else None
        return True

    async def teams_of(self, login: str, organization: str) -> frozenset[str] | None:
        """The slugs of all teams that `login` is in, those above theirs included; raises `RetryLater`.

        None where that cannot be seen, or they are in more than so many.
        """
        if answers.login_segment(login) is None or answers.login_segment(organization) is None:
            return frozenset()
        found: set[str] = set()
        after: str | None = None
        try:
            for _ in range(PAGES):
                answer = await self.ask(organization, graphql.teams(organization, login, after))
                page = graphql.data_of(answer, "organization", "teams")
                for node in answers.listed(page, "nodes"):
                    above = answers.listed(node, "ancestors", "nodes")
                    slugs = (answers.text(each, "slug") for each in (node, *above))
                    found.update(slug for slug in slugs if slug is not None)
                after = answers.text(page, "pageInfo", "endCursor")
                if answers.field(page, "pageInfo", "hasNextPage") is not True or after is None:
                    return frozenset(found)
        except Refused as refused:
            _log.warning("github.members_unknown", organization=organization, why=str(refused))
        return None

    async def ask(self, name: str, call: Call) -> Answer:
        """Ask with the rights of the App's installation on an organization, or with the token."""
        if self._app is None:
            return await self._transport.send(call, self._token, "the token" if self._token else "nobody")
        credential = await self._app.for_organization(name)
        try:
            return await self._transport.send(call, credential.token, credential.who)
        except Refused as refused:
            if refused.status != 401:
                raise
            self._app.forget_organization(name, credential.token)
            raise RetryLater("GitHub took a token back") from None
