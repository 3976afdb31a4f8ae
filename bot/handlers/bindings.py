"""What a yes is bound to, and what of that has changed since: asks GitHub and the engine."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from math import inf
from typing import Any

from bot.caches import ExpiringCache
from bot.catalog.catalog import Job
from bot.catalog.images import Image
from bot.github import PullRequest
from bot.handlers.orders import Order
from bot.registry import Registry
from bot.repositories import CodeHost
from bot.states import ActorKind, Cause
from bot.store import Session, versions
from bot.tables import Run
from executor.spec import Live, Outcome

Change = dict[str, Any]
"""A `kind` and what it speaks of; `bot.messages.approvals` says it."""

Pin = Callable[[str | Live], Awaitable[Outcome]]
"""Looks up which image exactly a reference or a workload is."""


def digest_of(value: Any) -> str:
    """The SHA-256 of plain data, however it is ordered."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def definition_digest(job: Job) -> str:
    """The SHA-256 of all that a definition says; what it leaves to defaults may get a name in a release."""
    return digest_of(job.model_dump(mode="json", exclude_defaults=True))


def bound(run: Run) -> str:
    """The SHA-256 of all that a yes to `run` is a yes to; its image counts once it is known exactly."""
    ready = run.image_definition is not None
    return digest_of(
        {
            "job": run.job,
            "definition": run.definition,
            "today": facts_of(run)["definition"],
            "parameters": run.parameters,
            "arguments": run.arguments,
            "repository": run.repository,
            "commit": run.commit,
            "image": run.image_definition,
            "digest": run.digest if ready else None,
            "build": run.build_number,
        }
    )


def facts_of(run: Run) -> Mapping[str, Any]:
    """What was so when it was asked for: the SHA-256 of the `definition`, whether it was a pull's `head`."""
    facts: Mapping[str, Any] = (run.approval or {})["facts"]
    return facts


def senders(run: Run) -> list[str]:
    """By whose doing it was asked for besides who asked: who let a workflow run."""
    sender = facts_of(run).get("sender") if run.approval is not None else None
    return [] if sender is None else [sender]


def facts(order: Order, run: Run) -> dict[str, Any]:
    """The facts of a run that is asked for. `looks_up`: which image exactly it is to have is looked up.

    `sender` is the actor by whose doing a workflow asks.
    """
    pull = order.context.pull
    if order.context.cause == Cause.PULL_REQUEST:
        head = run.pull_request is not None and not _is_of_end(order)
    else:
        head = pull is not None and run.pull_request == pull.number and run.commit == pull.head_sha
    caller, origin = order.context.caller, order.follows
    known = [ActorKind.GITHUB.named(caller.sender)] if caller is not None and caller.sender else []
    known += [] if origin is None else senders(origin)
    return {
        "definition": definition_digest(order.overlap),
        "head": head,
        "looks_up": run.image_definition is not None and run.digest is None,
        "sender": known[0] if known else None,
    }


def _is_of_end(order: Order) -> bool:
    """Whether it is started by the end of a pull request, which is closed then."""
    row = order.context.occurrence
    return row is not None and row.key.startswith(f"pull_request:{row.pull}:closed:")


class Inquiry:
    """What is asked for several runs that are looked at together: of each thing once."""

    def __init__(self, host: CodeHost, pin: Pin) -> None:
        self._host = host
        self._pin = pin
        self._pulls: ExpiringCache[tuple[str, int], PullRequest] = ExpiringCache(lambda: 0.0)
        self._images: ExpiringCache[str | Live, Outcome] = ExpiringCache(lambda: 0.0)

    async def pull(self, repository: str, number: int) -> PullRequest:
        """The pull request as GitHub tells it since this began."""

        async def ask() -> tuple[PullRequest, float]:
            return await self._host.required.pull(repository, number), inf

        return await self._pulls.get((repository, number), ask)

    async def image(self, image: str | Live) -> Outcome:
        """Which image exactly it is."""

        async def ask() -> tuple[Outcome, float]:
            return await self._pin(image), inf

        return await self._images.get(image, ask)


class BindingReview:
    """Compares what a held run is with what there is now."""

    def __init__(self, registry: Registry, host: CodeHost, pin: Pin) -> None:
        self._registry = registry
        self._host = host
        self._pin = pin

    def inquiry(self) -> Inquiry:
        """What is asked from now on."""
        return Inquiry(self._host, self._pin)

    async def changes(self, run: Run, inquiry: Inquiry | None = None) -> list[Change]:
        """Whatever voids each yes to `run`; `RetryLater`, `EngineUnavailable` where it is not known now."""
        await self._registry.refresh()  # what made it due may have been stored by another bot
        definition = self.definition_change(run)
        if definition is not None:
            return [definition]
        inquiry = inquiry or self.inquiry()
        found = [await self._head(run, inquiry), await self._image(run, inquiry)]
        return [each for each in found if each is not None]

    def account(self, run: Run, changes: Sequence[Change]) -> dict[str, Any]:
        """What is kept of `changes` with a run that they end, and the line by which it is asked for anew."""
        line = f"{self._registry.config.command} run {run.job}"
        return {"changes": list(changes), "again": line}

    def is_behind(self, session: Session) -> bool:
        """Whether a job was changed that this bot has not taken over yet."""
        return versions.mark(session) != self._registry.mark

    def definition_change(self, run: Run) -> Change | None:
        """That the job is another one by now; without asking anybody."""
        job = self._registry.catalog.jobs.get(run.job)
        if job is None:
            return {"kind": "job", "job": run.job}
        if definition_digest(job) == facts_of(run)["definition"]:
            return None
        keys = _different(run.definition, job.model_dump(mode="json"))
        return {"kind": "definition", "job": run.job, "keys": keys}

    async def _head(self, run: Run, inquiry: Inquiry) -> Change | None:
        if not facts_of(run)["head"] or run.pull_request is None or run.repository is None:
            return None
        pull = await inquiry.pull(run.repository, run.pull_request)
        if pull.state != "open":
            return {"kind": "closed", "pull": pull.number, "merged": pull.merged, "base": pull.base_ref}
        if pull.head_sha != run.commit:
            return {"kind": "head", "pull": pull.number, "was": run.commit, "now": pull.head_sha}
        return None

    async def _image(self, run: Run, inquiry: Inquiry) -> Change | None:
        if not facts_of(run)["looks_up"] or run.digest is None:
            return None
        outcome = await inquiry.image(image_of(run))
        if outcome.image is None or outcome.image == run.digest:
            return (
                None  # what is gone from a registry may still be on the engine, which is asked at the start
            )
        return {"kind": "image", "image": run.image, "was": run.digest, "now": outcome.image}

    async def pinned(self, run: Run) -> Outcome:
        """Which image exactly it is to have; the outcome that ends it where it can have none."""
        return await self._pin(image_of(run))


def image_of(run: Run) -> str | Live:
    """Where the image of a run comes from that is not built; `LookupError` where it is, or there is none."""
    image = None if run.image_definition is None else Image.model_validate(run.image_definition)
    origin = None if image is None else image.live or image.origin
    if origin is None:
        raise LookupError("it has no image that could be looked up")
    return origin


def _different(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [key for key in Job.model_fields if before.get(key) != after.get(key)]
