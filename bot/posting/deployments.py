"""How deployments stand, and what else GitHub waits for, told to it.

Several jobs may belong to one deployment, and each of their runs has a post of its own, so what is told is
how all of them stand. Whoever tells looks once more afterwards, so that the last word is never an older one.
"""

import structlog

from bot import messages
from bot.catalog.catalog import Job
from bot.catalog.triggers import OnDeployment, is_address
from bot.errors import Refused, RetryLater
from bot.github import GitHub
from bot.posting.facing import Facing, Subject
from bot.store import Store, occurrences
from bot.store.posts import Remote
from bot.tables import OccurrenceSeen, Post, Run
from bot.text.globs import matches

log = structlog.get_logger()

ANSWERED = "answered"
"""What a post of a protection rule notes once GitHub has its answer, of which there is one."""
REPORTED = "environment_url"
"""The output by which a job says where what was deployed is reached."""
LOOKS = 5
"""How often one try tells how a deployment stands while that changes."""


class DeploymentPosts:
    """Sends them; raises `Refused` and `RetryLater`."""

    def __init__(self, github: GitHub | None, facing: Facing, store: Store) -> None:
        self._github = github
        self._facing = facing
        self._store = store

    async def status(self, post: Post, subject: Subject) -> Remote:
        """The status of a deployment; gives the state that was told last."""
        last = post.remote_id
        for _ in range(LOOKS):
            row, stands = await self._standing(post)
            if stands.state == last:
                return Remote(stands.state)
            await self._tell(post, row, stands)
            last = stands.state
        raise RetryLater("how the deployment stands changes faster than it can be told")

    async def review(self, post: Post, subject: Subject) -> Remote:
        """The answer to a protection rule: that a job is on its way, and then whether it may be deployed."""
        last = post.remote_id
        _, stands = await self._standing(post)
        if last == ANSWERED or (last is not None and not stands.ended):
            return Remote(last)
        view, link = None, None
        if stands.run is not None:
            view, link = await self._facing.in_repository(self._client, post, stands.run)
        fields = messages.review(stands, post.place["environment"], view, link)
        try:
            await self._client.review_deployment(post.place["repository"], int(post.place["review"]), fields)
        except Refused as refused:
            if refused.status != 422 or stands.ended is False:
                raise
            log.info("review.late", run=post.place["review"], why=str(refused))  # another job's answer stands
        return Remote(ANSWERED if stands.ended else "reported")

    async def verdict(self, post: Post, subject: Subject) -> Remote | None:
        """Why nothing runs for a commit, where a check of that job may be waited for."""
        place = post.place
        repository, commit = place["repository"], place["commit"]
        if not place["app"]:
            fields = messages.verdict_status(place["job"], place["conclusion"], place["title"])
            await self._client.set_status(repository, commit, fields)
            return None
        check = messages.verdict_check(
            place["job"], place["conclusion"], place["title"], nonce=post.nonce, now=post.created_at
        )
        known = None
        if post.attempts > 1:
            known = await self._client.find_check(repository, commit, check.external_id)
        return Remote(str(known or await self._client.create_check(repository, commit, check)))

    async def _standing(self, post: Post) -> tuple[OccurrenceSeen, messages.Standing]:
        id = int(post.place["occurrence"])
        row, runs = await self._store.read(
            lambda s: (occurrences.get(s, id), occurrences.current_runs(s, id))
        )
        if row is None:
            raise Refused("what it tells about is no longer kept")
        return row, messages.standing(row, runs)

    async def _tell(self, post: Post, row: OccurrenceSeen, stands: messages.Standing) -> None:
        status, run, url = None, stands.run, None
        if run is not None:
            status = messages.status(*await self._facing.in_repository(self._client, post, run))
            with_outputs = run.public or not await self._facing.is_open(self._client, post)
            url = _url(run, row, outputs=with_outputs)
        fields = messages.deployment_fields(stands, status, url)
        await self._client.set_deployment_status(
            post.place["repository"], int(post.place["deployment"]), fields
        )

    @property
    def _client(self) -> GitHub:
        if self._github is None:
            raise Refused("GitHub is no longer configured")
        return self._github


def _url(run: Run, row: OccurrenceSeen, *, outputs: bool) -> str | None:
    """Where what was deployed is reached, as the job reports it (`outputs`) or its definition says it."""
    reported = (run.outputs or {}).get(REPORTED, "") if outputs else ""
    if is_address(reported):
        return reported
    try:
        named = Job.frozen(run.definition).on
    except ValueError:
        return None
    of_it = [
        each
        for each in named
        if isinstance(each, OnDeployment) and matches(each.deployment, row.environment or "")
    ]
    return next((each.url for each in of_it), None)
