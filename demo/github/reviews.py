"""Comments on lines of the code, their threads and reactions."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.github import checking
from demo.github.access import ApiError, not_found
from demo.github.discussion import reacted
from demo.github.endpoints import REPO, Endpoints, Table, body_of
from demo.github.shapes import iso
from demo.github.state import Comment, Repository


class Reviews(Endpoints):
    """What is said on lines of the code of pull requests."""

    def table(self) -> Table:
        """The endpoints."""
        return [
            ("GET", f"{REPO}/pulls/{{number:int}}/comments", self.list_comments),
            ("POST", f"{REPO}/pulls/{{number:int}}/comments/{{id:int}}/replies", self.create_reply),
            ("PATCH", f"{REPO}/pulls/comments/{{id:int}}", self.update_comment),
            ("POST", f"{REPO}/pulls/comments/{{id:int}}/reactions", self.create_reaction),
        ]

    async def list_comments(self, request: Request) -> Response:
        """https://docs.github.com/rest/pulls/comments#list-review-comments-on-a-pull-request"""
        _, repository = self._access.require(request, "read", "pull_requests")
        pull, since = self._pull(request, repository), request.query_params.get("since", "")
        found = [
            each
            for each in self._state.comments
            if (each.repository, each.issue) == (repository.name, pull)
            and each.thread is not None
            and iso(each.updated_at) >= since
        ]
        return self._page(request, found, lambda page: [self._shapes.comment(each) for each in page])

    async def create_reply(self, request: Request) -> Response:
        """https://docs.github.com/rest/pulls/comments#create-a-reply-for-a-review-comment

        Replies to replies are not supported.
        """
        caller, repository = self._access.require(request, "write", "pull_requests")
        pull, first = self._pull(request, repository), self._comment(request, repository)
        if first.thread != first.id or first.issue != pull:
            raise not_found()
        text = checking.comment_body(await body_of(request))
        about = (next(self._state.ids), repository.name, pull, caller.login, caller.app)
        now = self._clock()
        made = Comment(*about, now, now, [text], thread=first.id)
        self._state.comments.append(made)
        return JSONResponse(self._shapes.comment(made), 201)

    async def update_comment(self, request: Request) -> Response:
        """https://docs.github.com/rest/pulls/comments#update-a-review-comment-for-a-pull-request"""
        caller, repository = self._access.require(request, "write", "pull_requests")
        comment = self._comment(request, repository)
        if comment.login != caller.login and caller.app is not None:
            raise ApiError(403, "Resource not accessible by integration")
        comment.history.append(checking.comment_body(await body_of(request)))
        comment.updated_at = self._clock()
        return JSONResponse(self._shapes.comment(comment))

    async def create_reaction(self, request: Request) -> Response:
        """https://docs.github.com/rest/reactions/reactions#create-reaction-for-a-pull-request-review-comment"""
        caller, repository = self._access.require(request, "write", "pull_requests")
        comment = self._comment(request, repository)
        made, new = reacted(self._state, comment, caller.login, await body_of(request), self._clock())
        return JSONResponse(self._shapes.reaction(made), 201 if new else 200)

    def _pull(self, request: Request, repository: Repository) -> int:
        number: int = request.path_params["number"]
        if number not in repository.pulls:
            raise not_found()
        return number

    def _comment(self, request: Request, repository: Repository) -> Comment:
        key = (request.path_params["id"], repository.name)
        for comment in self._state.comments:
            if (comment.id, comment.repository) == key and comment.thread is not None:
                return comment
        raise not_found()
