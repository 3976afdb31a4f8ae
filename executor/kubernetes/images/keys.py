"""Which Secrets open registries: those that the nodes pull with, as far as Errand may read them."""

import time
from collections.abc import Sequence

from executor.kubernetes.client import Client, Object
from executor.kubernetes.images import credentials
from executor.kubernetes.images.credentials import Credential, Entry
from executor.kubernetes.images.registry import Credentials
from executor.kubernetes.objects.workloads import Workload
from executor.kubernetes.refusals import Deferral, Refused
from executor.kubernetes.resources import SECRETS, SERVICE_ACCOUNTS, Resource
from executor.kubernetes.settings import Settings
from executor.references import Reference

_KEPT = 60.0
"""Seconds for which what the API server said is not asked again: every run asks."""
_LAPSE = 600.0
"""Seconds for which what was shown before counts although it is refused now: the right may come back."""
_SECRETS = 16
"""Secrets that are read for one image."""


class Keys:
    """The credentials of `builder.registry_secret`, the configured pod and the service account of runs.

    A Secret or a service account that Errand may not read is left out: a registry that wants it says so.
    """

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._entries: dict[tuple[str, str], tuple[float, list[Entry]]] = {}
        self._usual: tuple[float, tuple[str, ...]] = (-_KEPT, ())
        self._shown: dict[tuple[str, str, str], tuple[float, Object]] = {}

    def of(self, reference: Reference, workload: Workload | None = None) -> Credentials:
        """Give how to look for what may open the repository, those of `workload` first."""

        async def found() -> Sequence[Credential]:
            namespace, own = self._settings.namespace, self._settings.builder.registry_secret
            shared = [(workload.namespace, name) for name in workload.pull_secrets] if workload else []
            usual = [own, *await self._names()] if own is not None else list(await self._names())
            named = dict.fromkeys([*shared, *((namespace, name) for name in usual)])
            entries = []
            for place, name in list(named)[:_SECRETS]:
                entries += await self._read(place, name)
            return credentials.matching(entries, reference)

        return found

    async def names(self, reference: Reference) -> tuple[str, ...]:
        """Name the Secrets for the pull of a run, if that of builds has to be one of them.

        A pod that names any has none of its service account's, so these are named too.
        """
        name = self._settings.builder.registry_secret
        if name is None or not credentials.matching(
            await self._read(self._settings.namespace, name), reference
        ):
            return ()
        return tuple(dict.fromkeys((*await self._names(), name)))

    async def _names(self) -> tuple[str, ...]:
        """Name the Secrets that every pod of a run has for its pull without being told."""
        at, names = self._usual
        if time.monotonic() < at + _KEPT:
            return names
        settings = self._settings
        found = list(settings.pod.get("imagePullSecrets") or ())
        name = settings.service_account or "default"
        account = await self._get(SERVICE_ACCOUNTS, settings.namespace, name)
        found += account.get("imagePullSecrets") or ()
        names = tuple(str(item["name"]) for item in found if item.get("name"))
        self._usual = (time.monotonic(), names)
        return names

    async def _read(self, namespace: str, name: str) -> list[Entry]:
        at, entries = self._entries.get((namespace, name), (-_KEPT, []))
        if time.monotonic() < at + _KEPT:
            return entries
        secret = await self._get(SECRETS, namespace, name)
        entries = credentials.read(secret) if secret else []
        self._entries[namespace, name] = (time.monotonic(), entries)
        return entries

    async def _get(self, resource: Resource, namespace: str, name: str) -> Object:
        """Give an object, an empty one for what Errand may not read; raises EngineUnavailable."""
        place = (resource.plural, namespace, name)
        try:
            found = await self._client.get(resource, namespace, name)
        except Refused:
            self._shown.pop(place, None)
            return {}
        except Deferral as deferral:
            if not deferral.is_of_right or place not in self._shown:
                raise
            at, found = self._shown[place]
            return found if time.monotonic() < at + _LAPSE else {}
        self._shown[place] = (time.monotonic(), found)
        return found
