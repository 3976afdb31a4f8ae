"""What comes in at an installation's doors, sent as GitHub and Slack do."""

import uuid
from collections.abc import Callable
from typing import Any

import httpx

from demo import deliveries, happenings
from demo.github import Check, Comment
from demo.github.state import Deployment
from demo.standins import StandIns

REPOSITORY = "acme/shop"
PULL = 7
PERSON = "octocat"
SECOND = "monalisa"
"""Another who may write to the repository."""
SLACK_USER = "U012AB3CD"
GITHUB_SECRET = "demo-webhook-secret"
SLACK_SECRET = "demo-signing-secret"


class Arrivals:
    """Sends deliveries to a service; `client` speaks with it, `clock` is its time."""

    beside: StandIns
    clock: Callable[[], float]
    client: httpx.AsyncClient

    def reach_slack(self) -> None:
        """Let what people do in Slack arrive at the service's door."""
        self.beside.slack.reach(lambda sent: self.deliver("/webhooks/slack", sent), SLACK_SECRET)

    async def deliver(self, path: str, delivery: deliveries.Delivery) -> httpx.Response:
        """Send a signed request to a door."""
        return await self.client.post(path, content=delivery.body, headers=delivery.headers)

    async def push(self, commit: str, *, branch: str = "main", id: str | None = None) -> httpx.Response:
        """GitHub says that a branch was pushed."""
        payload = deliveries.push(REPOSITORY, commit, branch=branch, private=self._private, at=self.clock())
        return await self._github("push", payload, id)

    async def comment(self, body: str, *, author: str = PERSON) -> Comment:
        """Somebody comments on the pull request; gives the comment as it stands at GitHub."""
        made = self.beside.github.add_comment(REPOSITORY, PULL, author, body)
        payload = deliveries.issue_comment(
            REPOSITORY, PULL, made.id, author, body, private=self._private, at=self.clock()
        )
        answer = await self._github("issue_comment", payload, None)
        answer.raise_for_status()
        return made

    async def comment_on_line(self, body: str, *, author: str = PERSON) -> Comment:
        """Somebody comments on a line of the pull request's code; gives the comment."""
        made = self.beside.github.add_comment(REPOSITORY, PULL, author, body, on_line=True)
        payload = deliveries.review_comment(
            REPOSITORY, PULL, made.id, author, body, private=self._private, commit=self._seen
        )
        (await self._github("pull_request_review_comment", payload, None)).raise_for_status()
        return made

    async def review(self, body: str, *, author: str = PERSON) -> None:
        """Somebody reviews the pull request, with this text."""
        number = next(self.beside.github.state.ids)
        payload = deliveries.review(
            REPOSITORY, PULL, number, author, body, private=self._private, commit=self._seen
        )
        (await self._github("pull_request_review", payload, None)).raise_for_status()

    @property
    def _seen(self) -> str:
        """The head of the pull request as who reviews it sees it."""
        return self.beside.github.state.repositories[REPOSITORY].pulls[PULL].head_sha

    async def press(self, check: Check, button: str | None = None, *, author: str = PERSON) -> None:
        """Somebody presses a button of a check run: one of the App's, or (None) GitHub's that repeats it."""
        if button is not None and button not in [action["identifier"] for action in check.actions]:
            raise LookupError(f"there is no button {button}")
        payload = deliveries.check_run(
            REPOSITORY,
            check.id,
            check.head_sha,
            external_id=check.external_id,
            sender=author,
            button=button,
            private=self._private,
        )
        (await self._github("check_run", payload, None)).raise_for_status()

    async def workflow_waits(self, run: int, commit: str, environment: str) -> Deployment:
        """A workflow, in its run of that number, comes to an environment and waits for the App's word."""
        made = self.beside.github.add_deployment(REPOSITORY, commit, environment)
        self.beside.github.state.waiting.add((REPOSITORY, run, environment))
        payload = happenings.protection_rule(self._made(made), environment, run, self.beside.github_url)
        (await self._github("deployment_protection_rule", payload, None)).raise_for_status()
        return made

    async def deployed(self, made: Deployment) -> None:
        """Whoever deploys says that it is done."""
        number = next(self.beside.github.state.ids)
        payload = happenings.deployment_status(self._made(made), number, "success")
        (await self._github("deployment_status", payload, None)).raise_for_status()

    def _made(self, of: Deployment) -> dict[str, Any]:
        return happenings.deployment(
            REPOSITORY, of.id, of.sha, of.environment, private=self._private, at=self.clock()
        )

    async def slash(self, text: str, *, person: str = SLACK_USER) -> httpx.Response:
        """Somebody types `/job TEXT` in the channel."""
        return await self.beside.slack.slash(text, user=person)

    async def _github(self, event: str, payload: dict[str, Any], id: str | None) -> httpx.Response:
        guid = id or str(uuid.uuid4())
        sent = deliveries.github(GITHUB_SECRET, event, guid, payload)
        answer = await self.deliver("/webhooks/github", sent)
        self.beside.github.record(event, guid, payload, answer.status_code)
        return answer

    @property
    def _private(self) -> bool:
        return self.beside.github.state.repositories[REPOSITORY].private
