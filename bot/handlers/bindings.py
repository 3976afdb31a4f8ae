"""What a yes is bound to, and what of that has changed since: asks GitHub and the engine."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.catalog.catalog import Job
from bot.catalog.images import Image
from bot.handlers.orders import Order
from bot.registry import Registry
from bot.repositories import CodeHost
from bot.states import Cause
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


def facts(order: Order, run: Run) -> dict[str, Any]:
    """The facts of a run that is asked for. `looks_up`: which image exactly it is to have is looked up."""
    pull = order.context.pull
    if order.context.cause == Cause.PULL_REQUEST:
        head = run.pull_request is not None
    else:
        head = pull is not None and run.pull_request == pull.number and run.commit == pull.head_sha
    return {
        "definition": definition_digest(order.overlap),
        "head": head,
        "looks_up": run.image_definition is not None and run.digest is None,
    }


class BindingReview:
    """Compares what a held run is with what there is now."""

    def __init__(self, registry: Registry, host: CodeHost, pin: Pin) -> None:
        self._registry = registry
        self._host = host
        self._pin = pin

    async def changes(self, run: Run) -> list[Change]:
        """Whatever voids each yes to `run`; `RetryLater`, `EngineUnavailable` where it is not known now."""
        definition = self.definition_change(run)
        if definition is not None:
            return [definition]
        found = [await self._head(run), await self._image(run)]
        return [each for each in found if each is not None]

    def definition_change(self, run: Run) -> Change | None:
        """That the job is another one by now; without asking anybody."""
        job = self._registry.catalog.jobs.get(run.job)
        if job is None:
            return {"kind": "job", "job": run.job}
        if definition_digest(job) == facts_of(run)["definition"]:
            return None
        keys = _different(run.definition, job.model_dump(mode="json"))
        return {"kind": "definition", "job": run.job, "keys": keys}

    async def _head(self, run: Run) -> Change | None:
        if not facts_of(run)["head"] or run.pull_request is None or run.repository is None:
            return None
        pull = await self._host.required.pull(run.repository, run.pull_request)
        if pull.state != "open":
            return {"kind": "closed", "pull": pull.number, "merged": pull.merged}
        if pull.head_sha != run.commit:
            return {"kind": "head", "pull": pull.number, "was": run.commit, "now": pull.head_sha}
        return None

    async def _image(self, run: Run) -> Change | None:
        if not facts_of(run)["looks_up"] or run.digest is None:
            return None
        outcome = await self._pin(image_of(run))
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
