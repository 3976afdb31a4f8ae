"""Images of registries and of workloads: which one is meant, by digest, and what pods need for them."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import replace

from executor import references
from executor.kubernetes.client import Client
from executor.kubernetes.images import credentials, live
from executor.kubernetes.images.keys import Keys
from executor.kubernetes.images.registry import Credentials, Denied, Registries, Unanswered
from executor.kubernetes.objects.pods import UNKNOWN, ImageFacts
from executor.kubernetes.objects.workloads import Workload
from executor.kubernetes.refusals import Deferral
from executor.kubernetes.settings import Settings
from executor.outcomes import RunEnded
from executor.references import Reference
from executor.spec import Live, Outcome, Pending, Progress, Result
from executor.words import plain

_PATIENCE = 120.0
"""Seconds for which a registry that does not answer is asked again, and between two questions."""
_PAUSE = 5.0
_SOON, _SLOWEST = 1.0, 30.0
"""Seconds before an API server is asked again, at first and at most."""
_FACTS = 10.0
"""Seconds that a run waits to learn as whom its image runs, once per image."""
_KEPT = 60.0
"""Seconds for which a registry that does not answer is not asked for users again."""
_IMAGES = 1000
"""Images whose users are remembered."""


class Images:
    """The images that pods can have.

    Digests are asked of the registry itself, with the credentials that the nodes would have (`Keys`). What no
    registry has, or none that Errand can reach, can be named by digest.
    """

    def __init__(self, client: Client, settings: Settings, *, patience: float = _PATIENCE) -> None:
        self._client = client
        self._settings = settings
        self._patience = patience
        self._registries = Registries(settings.registries)
        self._keys = Keys(client, settings)
        self._users: OrderedDict[str, str] = OrderedDict()
        self._unanswered: dict[str, float] = {}

    async def pin(self, image: str | Live) -> AsyncIterator[Progress]:
        """Ask for the digest of what `image` names, or of what the workload runs; see `Engine`.

        The outcome names it `REPOSITORY@sha256:DIGEST`, or as it is written where only nodes have it
        (`localhost/NAME`, the images of workloads that were loaded into their nodes). What the API server
        refuses for now is asked for again as long as a run may wait for its start.
        """
        until, last, pause = time.monotonic() + self._settings.pending_timeout, "", _SOON
        while True:
            try:
                async for progress in self._pin(image):
                    yield progress
                return
            except Deferral as deferral:
                words = str(deferral)
                left = until - time.monotonic()
                if left <= 0:
                    reason = "WorkloadMissing" if isinstance(image, Live) else "PullRefused"
                    yield _error(reason, deferral.refused.message)
                    return
                if words != last:
                    last = words
                    yield Pending(words)
                await asyncio.sleep(min(max(pause, deferral.later), left))
                pause = min(2 * pause, _SLOWEST)

    async def _pin(self, image: str | Live) -> AsyncIterator[Progress]:
        workload: Workload | None = None
        if isinstance(image, Live):
            try:
                workload = await live.workload(self._client, image, self._settings)
            except RunEnded as ended:
                yield ended.outcome
                return
            if workload.is_pinned:
                yield Outcome(Result.SUCCEEDED, image=workload.image)
                return
            image = workload.image
        try:
            reference = _parsed(image)
        except ValueError as problem:
            yield _error("ImageMissing", str(problem))
            return
        if reference.digest or reference.is_local:
            yield Outcome(Result.SUCCEEDED, image=str(reference))
            return
        async for progress in self._resolve(reference, self._keys.of(reference, workload)):
            if workload is not None and isinstance(progress, Outcome) and progress.image:
                progress = replace(progress, message="No pod of it tells which image it runs: as written.")
            yield progress

    async def has_image(self, image: str) -> bool:
        """Whether a run in `image` could start.

        True also where the registry or the API server cannot be asked now, or the former wants to know more
        of who asks: nodes may have other ways to it, and if not the run will say that.
        """
        try:
            reference = _parsed(image)
        except ValueError:  # another engine gave it, before `engine.kind` was changed
            return False
        if reference.is_local:  # only nodes know, but not of what another engine built
            return not references.is_built(image)
        try:
            await self._registries.digest(reference, self._keys.of(reference))
        except Denied as denied:
            return not denied.is_missing
        except (Unanswered, Deferral):
            return True
        return True

    async def facts(self, image: str, workload: Workload | None = None) -> ImageFacts:
        """Give what the manifest of a run in `image` has to know; nothing is known where nobody says it.

        The user is asked of the registry, once per digest, and remembered by this process.
        """
        try:
            reference = _parsed(image)
        except ValueError:
            return UNKNOWN
        if reference.is_local:
            return UNKNOWN
        return ImageFacts(
            is_non_root=_is_non_root(await self._user(reference, self._keys.of(reference, workload))),
            pull_secrets=await self._keys.names(reference),
        )

    async def _resolve(self, reference: Reference, opening: Credentials) -> AsyncIterator[Progress]:
        until, reason = time.monotonic() + self._patience, ""
        while True:
            try:
                digest = await self._registries.digest(reference, opening)
            except Denied as denied:
                yield _error("ImageMissing" if denied.is_missing else "PullRefused", str(denied))
                return
            except Unanswered as unanswered:
                if time.monotonic() >= until:
                    yield _error("PullRefused", f"{reference}: {unanswered}")
                    return
                if reason != str(unanswered):
                    reason = str(unanswered)
                    yield Pending(reason)
                await asyncio.sleep(min(_PAUSE, self._patience))
            else:
                yield Outcome(Result.SUCCEEDED, image=f"{reference.repository}@{digest}")
                return

    async def _user(self, reference: Reference, opening: Credentials) -> str | None:
        image, host = str(reference), credentials.host_of(reference)
        if image in self._users:
            self._users.move_to_end(image)
            return self._users[image]
        if not reference.digest or self._unanswered.get(host, 0.0) > time.monotonic():
            return None
        try:
            async with asyncio.timeout(_FACTS):
                user = await self._registries.user(reference, opening)
        except (Denied, Unanswered, TimeoutError):
            self._unanswered[host] = time.monotonic() + _KEPT
            return None
        self._users[image] = user
        while len(self._users) > _IMAGES:
            self._users.popitem(last=False)
        return user


def _parsed(image: str) -> Reference:
    """Give the parts of an image's name; raises ValueError also for an id, which is of one machine alone."""
    if references.is_id(image):
        raise ValueError(f"{image} is the id of an image on one machine; a cluster needs a name.")
    return references.parse(image)


def _is_non_root(user: str | None) -> bool:
    """Whether the kubelet can tell that an image's user is not root: it has to be a number, and not 0."""
    name = (user or "").partition(":")[0]
    return name.isascii() and name.isdigit() and int(name) != 0


def _error(reason: str, message: str) -> Outcome:
    return Outcome(Result.ERROR, reason=reason, message=plain(message))
