"""Refs, and how commits stand to each other."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.github.access import not_found
from demo.github.endpoints import REPO, Endpoints, Table
from demo.github.shapes import Json, iso
from demo.github.state import Repository
from demo.watched import SLASH


class History(Endpoints):
    """Branches, tags and comparisons."""

    def table(self) -> Table:
        """The endpoints."""
        return [
            ("GET", f"{REPO}/git/ref/{{ref:path}}", self.get_reference),
            ("GET", f"{REPO}/git/tags/{{sha}}", self.get_tag),
            ("GET", f"{REPO}/git/commits/{{sha}}", self.get_commit),
            ("GET", f"{REPO}/commits/{{sha}}/branches-where-head", self.list_heads),
            ("GET", f"{REPO}/branches", self.list_branches),
            ("GET", f"{REPO}/tags", self.list_tags),
            ("GET", f"{REPO}/compare/{{basehead:path}}", self.compare),
            ("GET", f"{REPO}/activity", self.list_activity),
            ("GET", f"{REPO}/pulls/{{number:int}}/reviews", self.list_reviews),
            ("GET", f"{REPO}/pulls/{{number:int}}/commits", self.list_pull_commits),
        ]

    async def get_reference(self, request: Request) -> Response:
        """https://docs.github.com/rest/git/refs#get-a-reference"""
        _, repository = self._access.require(request, "read", "contents")
        whole = f"refs/{request.path_params['ref'].replace(SLASH, '/')}"
        sha = (await asyncio.to_thread(lambda: repository.references)).get(whole)
        if sha is None:
            raise not_found()
        tag = await asyncio.to_thread(repository.tag_target, sha)
        thing = {"type": "commit" if tag is None else "tag", "sha": sha, "url": f"{request.base_url}{sha}"}
        return JSONResponse({"ref": whole, "node_id": f"REF_{sha}", "url": str(request.url), "object": thing})

    async def get_tag(self, request: Request) -> Response:
        """https://docs.github.com/rest/git/tags#get-a-tag"""
        _, repository = self._access.require(request, "read", "contents")
        sha = request.path_params["sha"]
        target = await asyncio.to_thread(repository.tag_target, sha)
        if target is None:
            raise not_found()
        thing = {"type": "commit", "sha": target, "url": f"{request.base_url}{target}"}
        return JSONResponse({"sha": sha, "tag": "a tag", "message": "A tag", "object": thing})

    async def get_commit(self, request: Request) -> Response:
        """https://docs.github.com/rest/git/commits#get-a-commit-object"""
        _, repository = self._access.require(request, "read", "contents")
        sha = request.path_params["sha"]
        if len(sha) != 40 or await asyncio.to_thread(repository.resolve, sha) != sha:
            raise not_found()
        message = await asyncio.to_thread(repository.message, sha)
        return JSONResponse({"sha": sha, "node_id": f"C_{sha}", "url": str(request.url), "message": message})

    async def list_heads(self, request: Request) -> Response:
        """https://docs.github.com/rest/commits/commits#list-branches-for-head-commit"""
        _, repository = self._access.require(request, "read", "contents")
        sha = await self._sha(repository, request.path_params["sha"])
        found = [each for each in await _listed(repository, "refs/heads/") if each["commit"]["sha"] == sha]
        return JSONResponse(found)

    async def list_branches(self, request: Request) -> Response:
        """https://docs.github.com/rest/branches/branches#list-branches"""
        _, repository = self._access.require(request, "read", "contents")
        return self._page(request, await _listed(repository, "refs/heads/"), list)

    async def list_tags(self, request: Request) -> Response:
        """https://docs.github.com/rest/repos/repos#list-repository-tags"""
        _, repository = self._access.require(request, "read", "contents")
        return self._page(request, await _listed(repository, "refs/tags/"), list)

    async def compare(self, request: Request) -> Response:
        """https://docs.github.com/rest/commits/commits#compare-two-commits

        Without files, which Errand does not ask for.
        """
        _, repository = self._access.require(request, "read", "contents")
        names = request.path_params["basehead"].replace(SLASH, "/").split("...")
        if len(names) != 2:
            raise not_found()
        resolved = [await asyncio.to_thread(repository.resolve, name) for name in names]
        base, head = resolved
        if base is None or head is None:
            raise not_found()
        behind = await asyncio.to_thread(repository.is_before, head, base)
        ahead = await asyncio.to_thread(repository.is_before, base, head)
        status = {(True, True): "identical", (True, False): "behind", (False, True): "ahead"}
        missing, extra = await asyncio.to_thread(
            lambda: (repository.between(head, base), repository.between(base, head))
        )
        shared = await asyncio.to_thread(repository.merge_base, base, head)
        if shared is None:
            raise not_found()  # "No common ancestor between ..."
        return JSONResponse(
            {
                "status": status.get((behind, ahead), "diverged"),
                "ahead_by": len(extra),
                "behind_by": len(missing),
                "total_commits": len(extra),
                "merge_base_commit": self._commit(repository, shared),
                "commits": [self._commit(repository, sha) for sha in extra],
            }
        )

    async def list_activity(self, request: Request) -> Response:
        """https://docs.github.com/rest/repos/repos#list-repository-activities"""
        _, repository = self._access.require(request, "read", "contents")
        ref = request.query_params.get("ref", "")
        moves = [move for move in repository.moves if ref in ("", move.ref)]
        shown = [
            {
                "id": number,
                "node_id": f"A_{number}",
                "before": move.before,
                "after": move.after,
                "ref": move.ref,
                "timestamp": iso(move.at),
                "activity_type": "push",
                "actor": self._shapes.user("octocat"),
            }
            for number, move in enumerate(moves)
        ]
        return JSONResponse(shown[::-1])

    async def list_reviews(self, request: Request) -> Response:
        """https://docs.github.com/rest/pulls/reviews#list-reviews-for-a-pull-request"""
        _, repository = self._access.require(request, "read", "pull_requests")
        pull = repository.pulls.get(request.path_params["number"])
        if pull is None:
            raise not_found()
        reviews = [
            {
                "id": number,
                "user": self._shapes.user(each.login),
                "state": each.state,
                "commit_id": each.commit,
            }
            for number, each in enumerate(pull.reviews, 1)
        ]
        return self._page(request, reviews, list)

    async def list_pull_commits(self, request: Request) -> Response:
        """https://docs.github.com/rest/pulls/pulls#list-commits-on-a-pull-request"""
        _, repository = self._access.require(request, "read", "pull_requests")
        pull = repository.pulls.get(request.path_params["number"])
        if pull is None:
            raise not_found()
        commits = [self._commit(repository, sha) for sha in pull.commits or [pull.head_sha]]
        return self._page(request, commits, list)

    def _commit(self, repository: Repository, sha: str) -> Json:
        """A commit with what is read of it."""
        author = {"name": "Mona", "email": "mona@example.com", "date": iso(0)}
        verified = sha not in repository.unsigned
        return {
            "sha": sha,
            "author": self._shapes.user("octocat"),
            "commit": {
                "message": f"Change {sha[:4]}\n\nMore of it.",
                "author": author,
                "verification": {"verified": verified, "reason": "valid" if verified else "unsigned"},
            },
        }


async def _listed(repository: Repository, prefix: str) -> list[Json]:
    """Branches or tags with their commits, by name."""

    def listed() -> list[Json]:
        found = sorted((ref, sha) for ref, sha in repository.references.items() if ref.startswith(prefix))
        return [
            {"name": ref.removeprefix(prefix), "commit": {"sha": repository.commit_of(sha), "url": ref}}
            for ref, sha in found
        ]

    return await asyncio.to_thread(listed)
