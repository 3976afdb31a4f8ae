"""What a job requires of a pull request before its code runs: asks GitHub, decides by the catalog."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot import messages
from bot.catalog.catalog import Job
from bot.catalog.requirements import Base, PullFacts, Verdict, code_of, verdicts
from bot.errors import NotMet
from bot.github import PullRequest
from bot.handlers.authorization import RequestContext
from bot.handlers.orders import Target
from bot.handlers.places import TerminalPlace
from bot.repositories import CodeHost
from bot.text.globs import matches

T = TypeVar("T")


class RequirementHandler:
    """Judges what people and programs ask for; what `app.yaml` itself starts is not asked about."""

    def __init__(self, host: CodeHost) -> None:
        self._host = host

    async def require(self, context: RequestContext, job: Job, target: Target) -> None:
        """Raise `NotMet` unless all holds that the job requires."""
        missing = [each for each in await self.verdicts(context, job, target) if not each.met]
        if missing:
            raise NotMet(messages.not_met(job.name, missing), [each.code for each in missing])

    async def verdicts(self, context: RequestContext, job: Job, target: Target) -> list[Verdict]:
        """One for each entry of `requires`; none where the job requires nothing.

        In a chat on the command line there is no pull request: who sits there has chosen the checkout.
        """
        if not job.requires or isinstance(context.place, TerminalPlace):
            return []
        pull = context.pull
        if pull is not None and target.repository == context.repository and _is_of(pull, target):
            return verdicts(job.requires, await self._facts(pull, job, str(target.repository)))
        return [await self._merged(context, job, target)]

    async def _merged(self, context: RequestContext, job: Job, target: Target) -> Verdict:
        """What is no pull request's has to be on a branch that one would be for: it was merged then."""
        code, source, repository = "base", target.source, target.repository
        if source is None or repository is None:
            sentence = (
                "a tag of an image is no pull request's"
                if context.pull
                else "it is asked for in no pull request"
            )
            return Verdict(code, met=False, sentence=sentence)
        entries = [entry for entry in job.requires if isinstance(entry, Base)]
        about = await self._host.about(repository)
        patterns = [pattern for entry in entries for pattern in entry.base] or [about.default_branch]
        if source.ref is not None and any(matches(pattern, source.ref) for pattern in patterns):
            named = await self._host.required.branch_if_any(repository, source.ref)
            if named is not None and named.sha == source.commit:
                return Verdict(code, met=True, sentence=f"it is the head of {messages.code(source.ref)}")
        branches = [pattern for pattern in patterns if "*" not in pattern]
        for branch in branches:
            if await self._host.required.is_on(repository, source.commit, branch):
                return Verdict(code, met=True, sentence=f"it is on {messages.code(branch)}")
        shown = ", ".join(messages.code(pattern) for pattern in patterns)
        return Verdict(code, met=False, sentence=f"{messages.code(source.commit[:12])} is not on {shown}")

    async def _facts(self, pull: PullRequest, job: Job, repository: str) -> PullFacts:
        """What GitHub says, asked only for what is required."""
        codes, reader = {code_of(entry) for entry in job.requires}, self._host.required.facts
        checks, reviews, behind, unsigned = await asyncio.gather(
            _when("checks" in codes, lambda: reader.checks(repository, pull.head_sha)),
            _when(
                "review" in codes, lambda: reader.reviews(repository, pull.number, pull.head_sha, pull.author)
            ),
            _when("up_to_date" in codes, lambda: reader.behind(repository, pull.base_ref, pull.head_sha)),
            _when("signed" in codes, lambda: reader.unsigned(repository, pull.number, pull.head_sha)),
        )
        return PullFacts(
            base=pull.base_ref,
            draft=pull.draft,
            checks=checks,
            approvals=None if reviews is None else reviews.approvals,
            objections=() if reviews is None else reviews.objections,
            behind=behind,
            unsigned=unsigned,
        )


async def _when(is_needed: bool, ask: Callable[[], Awaitable[T]]) -> T | None:
    return await ask() if is_needed else None


def _is_of(pull: PullRequest, target: Target) -> bool:
    """Whether the target is what the pull request has now.

    An image that is not built has no commit; a tag that somebody names may be of any.
    """
    return target.follows if target.source is None else target.source.commit == pull.head_sha
