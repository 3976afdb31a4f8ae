"""Images of registries and of running containers: fetched, pinned, and removed when nobody needs them."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from typing import Any, Protocol

from aiodocker import Docker, DockerError

from executor import references
from executor.container.command import Command, last_words
from executor.container.making import LABEL
from executor.container.settings import Settings
from executor.errors import EngineUnavailable
from executor.references import Reference
from executor.spec import Live, Outcome, Pending, Progress, Result
from executor.words import plain

_PULL = 3600.0
"""Seconds that a pull may take."""

_ASK = 60.0
"""Seconds for one question to the engine."""

_TAGS = 50
"""Commits that one image is tagged with at most: every push that changes nothing adds one."""

_ABSENT = re.compile(
    r"manifest unknown|name unknown|manifest for \S+ not found|no such image|: not found$", re.IGNORECASE
)
"""How registries and engines say that there is no such image, to who may know."""

_CONTAINER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}", re.ASCII)


class EngineConnection(Protocol):
    """Whoever has the connection to the engine, which may be another one later."""

    @property
    def docker(self) -> Docker:
        """The engine's API."""
        ...


class Images:
    """The images of one engine.

    Pulls go through the command line, as builds do: so it is the engine's own store of credentials
    (`podman login`, `docker login`, credential helpers) that is asked, and Errand never sees one.
    A short name means what the command takes it for: docker.io for Docker, for Podman what its
    registries.conf says, which may be nothing: then it is refused. `localhost/NAME` is of this machine.
    """

    def __init__(self, client: EngineConnection, settings: Settings) -> None:
        self._client = client
        self._command = Command(settings)

    async def pin(self, image: str | Live) -> AsyncIterator[Progress]:
        """Fetch what `image` names, or look what the workload runs; see `Engine`.

        The outcome names it `REPOSITORY@sha256:DIGEST`, or `sha256:ID` where only this machine has it.
        """
        if isinstance(image, Live):
            yield await self._live(image)
            return
        try:
            reference = None if references.is_id(image) else references.parse(image)
        except ValueError as problem:
            yield _error("ImageMissing", str(problem))
            return
        known = await self._here(reference or image)
        if known is None and reference is not None:
            yield Pending(f"Its image {reference} is pulled.")
            known = await self._pull(reference)
        yield known or _error("ImageMissing", f"There is no image {image} on this machine.")

    async def has_image(self, image: str) -> bool:
        """Whether a run in `image` could start; what was pushed is fetched again if need be.

        True also where the registry cannot be asked: the run will say that.
        """
        try:
            reference = None if references.is_id(image) else references.parse(image)
        except ValueError:  # another engine gave it, before `engine.kind` was changed
            return False
        known = await self._here(reference or image)
        if known is None and reference is not None:
            known = await self._pull(reference)
        return known is not None and known.reason != "ImageMissing"

    async def prune(self, *, before: float) -> None:
        """Remove what was built here before `before` and no container has, but the newest of each image."""
        docker = self._client.docker
        listed = await _answer(docker.images.list(filters={"label": [LABEL]}))
        used = {container["ImageID"] for container in await _answer(docker.containers.list(all=True)) or ()}
        newest: dict[str, float] = {}
        for image in listed or ():
            name = image["Labels"][LABEL]
            newest[name] = max(newest.get(name, 0.0), float(image["Created"]))
        for image in listed or ():
            tags = _names(image.get("RepoTags"))
            kept = image["Id"] in used or float(image["Created"]) >= newest[image["Labels"][LABEL]]
            if kept or not all(map(references.is_built, tags)):
                await self._untag([tag for tag in tags if references.is_built(tag)][_TAGS:])
            elif float(image["Created"]) < before:
                await self._untag(tags or [image["Id"]])

    async def _untag(self, names: list[str]) -> None:
        """Remove names of an image, and with its last one the image itself.

        Never by force, which removes containers too: one may have been made since they were listed.
        """
        for name in names:
            try:
                async with asyncio.timeout(_ASK):
                    await self._client.docker.images.delete(name)
            except DockerError as refusal:
                if refusal.status not in (404, 409):
                    raise _unavailable(refusal) from refusal
            except TimeoutError as problem:
                raise EngineUnavailable("the container engine does not answer") from problem

    async def _live(self, live: Live) -> Outcome:
        kind, _, name = live.workload.partition("/")
        if kind != "container" or not _CONTAINER.fullmatch(name) or live.namespace or live.container:
            message = f"{live.workload[:200]} is no container of this machine; container/NAME would be one."
            return _error("WorkloadMissing", message)
        container = await _answer(self._client.docker.containers.get(name))
        if container is None:
            return _error("WorkloadMissing", f"There is no container {name} on this machine.")
        if not container["State"]["Running"]:
            status = plain(str(container["State"].get("Status") or "stopped"))
            return _error("WorkloadMissing", f"The container {name} does not run: it is {status}.")
        image = str(container["Image"])
        image = image if image.startswith("sha256:") else f"sha256:{image}"
        if not references.is_id(image):
            return _error("WorkloadMissing", f"The container {name} was made without an image.")
        return _pinned(image)

    async def _here(self, image: Reference | str) -> Outcome | None:
        """Give what is known without a registry; None: it has to be asked."""
        if isinstance(image, Reference) and not (image.digest or image.is_local):
            # Docker tells what never came from a registry; Podman puts localhost/ before it.
            found = await self._inspect(str(image))
            return _pinned(found["Id"]) if found and not _names(found.get("RepoDigests")) else None
        found = await self._inspect(str(image))
        if isinstance(image, Reference) and image.digest and not image.is_local:
            return _pinned(str(image)) if found else None
        if found is not None:
            identity = str(found["Id"])
            return _pinned(identity if identity.startswith("sha256:") else f"sha256:{identity}")
        return _error("ImageMissing", f"There is no image {image} on this machine.")

    async def _pull(self, reference: Reference) -> Outcome:
        try:
            result = await self._command.call("pull", str(reference), timeout=_PULL)
        except TimeoutError:
            return _error("PullRefused", f"{reference} was not pulled within {_PULL / 60:.0f}m.")
        if result.code:
            await _answer(self._client.docker.version())  # which raises where it is the engine that is gone
            words = last_words(result.err or result.out)
            return _error("ImageMissing" if _ABSENT.search(words) else "PullRefused", words)
        if reference.digest:
            return _pinned(str(reference))
        pulled = (result.out.split() or [""])[-1]
        found = await self._inspect(pulled)
        if found is None:
            return _error("ImageMissing", f"{reference} was removed again at once.")
        return await self._digest(reference, found)

    async def _digest(self, reference: Reference, found: Mapping[str, Any]) -> Outcome:
        """Name the image that was just pulled by digest.

        Podman knows one digest for an image as it lies here and one for each way that a registry has it,
        and puts every one behind every name. Only the registry can tell which are its own.
        """
        names = [name for name in _names(found.get("RepoDigests")) if _is_of(name, reference)]
        for name in names:
            if len(names) == 1:
                return _pinned(name)
            result = await self._command.call("pull", "--quiet", name, timeout=_PULL)
            if not result.code:
                return _pinned(name)
        identity = str(found["Id"])
        return _pinned(identity if identity.startswith("sha256:") else f"sha256:{identity}")

    async def _inspect(self, name: str) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = await _answer(self._client.docker.images.inspect(name))
        return found


async def _answer(question: Awaitable[Any]) -> Any:
    """Give the engine's answer, None where there is no such thing; raises EngineUnavailable."""
    try:
        async with asyncio.timeout(_ASK):
            return await question
    except DockerError as refusal:
        if refusal.status == 404:
            return None
        raise _unavailable(refusal) from refusal
    except (TimeoutError, OSError) as problem:
        raise EngineUnavailable("the container engine does not answer") from problem


def _unavailable(refusal: DockerError) -> EngineUnavailable:
    return EngineUnavailable(f"the container engine: {plain(str(refusal.message))}")


def _is_of(name: str, reference: Reference) -> bool:
    """Whether `name`, by digest, is of the repository; a short one was given a registry by the engine."""
    repository = name.partition("@")[0]
    return repository == reference.repository or (
        reference.host is None and repository.endswith(f"/{reference.repository}")
    )


def _names(listed: Iterable[str] | None) -> list[str]:
    """Give the names of an image; Docker says `<none>` where it has none."""
    return [name for name in listed or () if not name.startswith("<none>")]


def _pinned(image: str) -> Outcome:
    return Outcome(Result.SUCCEEDED, image=image)


def _error(reason: str, message: str) -> Outcome:
    return Outcome(Result.ERROR, reason=reason, message=plain(message))
