"""What neither the log nor a sentence of one run shows: what it was given, and what its pod can read."""

import base64
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from executor.kubernetes.client import Client
from executor.kubernetes.refusals import Deferral, Hold, Refused
from executor.kubernetes.resources import SECRETS
from executor.kubernetes.watching.states import Job
from executor.logs.redaction import Redactor
from executor.outcomes import RunEnded, error
from executor.reports import reading
from executor.spec import Headway, Secret
from executor.threads import shielded

_MOST_OF_VALUE, _MOST_OF_ALL = 64 << 10, 256 << 10
"""Bytes of one value and of all that a run's log is searched for: each takes its time."""


class Mask:
    """The secrets of one run: `values` are those of its log, which only grow."""

    def __init__(self) -> None:
        self.values: list[bytes] = []
        self._redactor = Redactor(())

    async def add(self, values: Sequence[bytes]) -> None:
        """Hide these as well; large ones take time to prepare for."""
        if values:
            self.values += values
            self._redactor = await shielded(lambda: Redactor(self.values))

    async def add_secrets(self, secrets: Sequence[Secret]) -> None:
        """Hide what these reveal."""
        await self.add([secret.reveal().encode("utf-8", "surrogateescape") for secret in secrets])

    def headway(self, content: bytes) -> Headway | None:
        """Give how far a job says that it is."""
        return reading.headway(content, self._redactor)

    def sentence(self, words: str) -> str:
        """Give words for other places than the log."""
        return self._redactor.sentence(words)


async def hidden(client: Client, job: Job) -> list[bytes]:
    """Give what no log of the run shows: what the Secrets say that its pod can read, except its own.

    Raises `RunEnded` if one is not shown, or says too much to be searched for; `Hold` if it may be shown
    again, as that of a Job was before that was made; EngineUnavailable.
    """
    values = [value.encode("utf-8", "surrogateescape") for value in job.masked]
    size = sum(map(len, values))
    keys: dict[str, set[str | None]] = {}
    for ref in job.secrets:
        if ref.name != job.name:
            keys.setdefault(ref.name, set()).add(ref.key)
    for name, some in keys.items():
        secret = await _secret(client, job, name)
        read = [data for key, data in secret.items() if data and some & {key, None}]
        for value in map(base64.b64decode, read):
            size += len(value)
            if len(value) > _MOST_OF_VALUE or size > _MOST_OF_ALL:
                raise _too_large(name)
            values.append(value)
    return values


async def _secret(client: Client, job: Job, name: str) -> Mapping[str, str]:
    """Give what a Secret says, in base64; nothing where there is none: the pod waits for it, if it has to."""
    try:
        secret = await client.get(SECRETS, job.namespace, name)
    except (Refused, Deferral) as problem:
        if isinstance(problem, Refused) and problem.status == HTTPStatus.NOT_FOUND:
            return {}
        if isinstance(problem, Deferral) and not problem.is_of_right:
            raise
        words = (
            f"The Secret {name} cannot be read, so its values could not be masked in the log: Errand "
            f"needs the permission to get it in the namespace {job.namespace}."
        )
        may_be_shown = job.uid or isinstance(problem, Deferral)
        raise (Hold if may_be_shown else error)("SecretUnreadable", words) from problem
    return secret.get("data") or {}


def _too_large(name: str) -> RunEnded:
    return error(
        "SecretTooLarge",
        f"The Secret {name} holds more than a log can be searched for, so it could not be masked: "
        f"{_MOST_OF_VALUE >> 10} KiB in one value, {_MOST_OF_ALL >> 10} KiB in all that a run can read. "
        "What is no secret belongs into a ConfigMap.",
    )
