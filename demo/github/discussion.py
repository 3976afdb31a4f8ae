"""Comments and reactions."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.github import checking
from demo.github.access import ApiError, invalid, not_found
from demo.github.endpoints import REPO, Endpoints, Table, body_of
from demo.github.shapes import Json, iso
from demo.github.state import Comment, Reaction, Repository, State

_DISCUSS = ("issues", "pull_requests")


class Discussion(Endpoints):
    """What is said on issues and pull requests."""

    def table(self) -> Table:
        """The endpoints."""
        return [
            ("GET", f"{REPO}/issues/{{number:int}}/comments", self.list_comments),
            ("POST", f"{REPO}/issues/{{number:int}}/comments", self.create_comment),
            ("GET", f"{REPO}/issues/comments/{{id:int}}", self.get_comment),
            ("PATCH", f"{REPO}/issues/comments/{{id:int}}", self.update_comment),
            ("POST", f"{REPO}/issues/comments/{{id:int}}/reactions", self.create_reaction),
        ]

    async def list_comments(self, request: Request) -> Response:
        """https://docs.github.com/rest/issues/comments#list-issue-comments"""
        _, repository = self._access.require(request, "read", *_DISCUSS)
        issue = self._issue(request, repository)
        since = request.query_params.get("since", "")
        found = [
            comment
            for comment in self._state.comments
            if (comment.repository, comment.issue) == (repository.name, issue)
            and comment.thread is None
            and iso(comment.updated_at) >= since
        ]
        return self._page(request, found, lambda page: [self._shapes.comment(each) for each in page])

    async def create_comment(self, request: Request) -> Response:
        """https://docs.github.com/rest/issues/comments#create-an-issue-comment"""
        caller, repository = self._access.require(request, "write", *_DISCUSS)
        issue = self._issue(request, repository)
        text = checking.comment_body(await body_of(request))
        now = self._clock()
        comment = Comment(
            next(self._state.ids), repository.name, issue, caller.login, caller.app, now, now, [text]
        )
        self._state.comments.append(comment)
        return JSONResponse(self._shapes.comment(comment), 201)

    async def get_comment(self, request: Request) -> Response:
        """https://docs.github.com/rest/issues/comments#get-an-issue-comment"""
        _, repository = self._access.require(request, "read", *_DISCUSS)
        return JSONResponse(self._shapes.comment(self._comment(request, repository)))

    async def update_comment(self, request: Request) -> Response:
        """https://docs.github.com/rest/issues/comments#update-an-issue-comment"""
        caller, repository = self._access.require(request, "write", *_DISCUSS)
        comment = self._comment(request, repository)
        if comment.login != caller.login and caller.app is not None:
            raise ApiError(403, "Resource not accessible by integration")
        comment.history.append(checking.comment_body(await body_of(request)))
        comment.updated_at = self._clock()
        return JSONResponse(self._shapes.comment(comment))

    async def create_reaction(self, request: Request) -> Response:
        """https://docs.github.com/rest/reactions/reactions#create-reaction-for-an-issue-comment"""
        caller, repository = self._access.require(request, "write", *_DISCUSS)
        comment = self._comment(request, repository)
        made, new = reacted(self._state, comment, caller.login, await body_of(request), self._clock())
        return JSONResponse(self._shapes.reaction(made), 201 if new else 200)

    def _issue(self, request: Request, repository: Repository) -> int:
        number: int = request.path_params["number"]
        if number not in repository.pulls and number not in repository.issues:
            raise not_found()
        return number

    def _comment(self, request: Request, repository: Repository) -> Comment:
        key = (request.path_params["id"], repository.name)
        for comment in self._state.comments:
            if (comment.id, comment.repository) == key and comment.thread is None:
                return comment
        raise not_found()


def reacted(state: State, comment: Comment, login: str, body: Json, now: float) -> tuple[Reaction, bool]:
    """The reaction that a request asks for, and whether it is new: one of each kind from everybody."""
    content = body.get("content")
    if content not in checking.REACTIONS:
        raise invalid("Reaction", "content", "invalid")
    for each in state.reactions:
        if (each.comment, each.login, each.content) == (comment.id, login, content):
            return each, False
    made = Reaction(next(state.ids), comment.repository, comment.id, login, content, now)
    state.reactions.append(made)
    return made, True
