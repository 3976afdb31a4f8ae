"""Who belongs to an organization and to its teams."""

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from demo.github.access import ApiError, not_found
from demo.github.accounts import Organization
from demo.github.endpoints import Endpoints, Table


class Organizations(Endpoints):
    """Members and teams; those who may not read members hear of public ones only, of whom there are none."""

    def table(self) -> Table:
        """The endpoints."""
        return [
            ("GET", "/orgs/{org}/members/{login}", self.get_member),
            ("GET", "/orgs/{org}/public_members/{login}", self.get_public_member),
            ("GET", "/orgs/{org}/teams/{slug}/memberships/{login}", self.get_membership),
            ("GET", "/orgs/{org}/teams/{slug}", self.get_team),
        ]

    async def get_member(self, request: Request) -> Response:
        """https://docs.github.com/rest/orgs/members#check-organization-membership-for-a-user"""
        caller = self._access.caller(request)
        name, login = request.path_params["org"].lower(), request.path_params["login"]
        known = self._organization(name)
        if not self._access.reads_members(caller, name):
            if caller.token.installation is not None:
                raise ApiError(403, "Resource not accessible by integration")
            return RedirectResponse(f"{self._shapes.api}/orgs/{name}/public_members/{login}", 302)
        if login.lower() not in {each.lower() for each in known.members}:
            raise not_found()
        return Response(status_code=204)

    async def get_public_member(self, request: Request) -> Response:
        """https://docs.github.com/rest/orgs/members#check-public-organization-membership-for-a-user"""
        raise not_found()

    async def get_membership(self, request: Request) -> Response:
        """https://docs.github.com/rest/teams/members#get-team-membership-for-a-user"""
        caller = self._access.caller(request)
        name, slug = request.path_params["org"].lower(), request.path_params["slug"]
        known = self._organization(name)
        if not self._access.reads_members(caller, name):
            if caller.token.installation is not None:
                raise ApiError(403, "Resource not accessible by integration")
            raise not_found()
        login = request.path_params["login"]
        team = {each.lower(): state for each, state in known.teams.get(slug.lower(), {}).items()}
        state = team.get(login.lower())
        if state is None:
            raise not_found()
        url = f"{self._shapes.api}/organizations/1/team/1/memberships/{login}"
        return JSONResponse({"url": url, "role": "member", "state": state})

    async def get_team(self, request: Request) -> Response:
        """https://docs.github.com/rest/teams/teams#get-a-team-by-name"""
        caller = self._access.caller(request)
        name, slug = request.path_params["org"].lower(), request.path_params["slug"].lower()
        known = self._organization(name)
        if not self._access.reads_members(caller, name):
            if caller.token.installation is not None:
                raise ApiError(403, "Resource not accessible by integration")
            raise not_found()
        if slug not in known.teams:
            raise not_found()
        url = f"{self._shapes.api}/organizations/1/team/1"
        about = {"id": 1, "slug": slug, "name": slug, "url": url, "privacy": "closed", "permission": "pull"}
        return JSONResponse(
            {**about, "members_count": len(known.teams[slug]), "organization": {"login": name}}
        )

    def _organization(self, name: str) -> Organization:
        known = self._state.organizations.get(name)
        if known is None:
            raise not_found()
        return known
