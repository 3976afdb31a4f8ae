"""Puts together what decides about runs that are held: for somebody's yes, or for their time."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from bot.handlers.approval_inbox import ApprovalInbox
from bot.handlers.approvals import ApprovalHandler, Approvers
from bot.handlers.askers import Askers
from bot.handlers.authorization import Authorization
from bot.handlers.bindings import BindingReview
from bot.handlers.holds import Gatekeeper, HoldHandler
from bot.handlers.releases import ApprovalReleases
from bot.registry import Registry
from bot.repositories import CodeHost
from bot.store import Store
from executor.engine import Engine
from executor.spec import Live, Outcome


@dataclass(frozen=True, slots=True)
class ApprovalParts:
    """What its classes need of the others; taken whole by nobody but this."""

    registry: Registry
    store: Store
    engine: Engine
    clock: Callable[[], float]
    host: CodeHost
    authorization: Authorization


class ApprovalComposition:
    """One of each, made when it is first asked for."""

    def __init__(self, parts: ApprovalParts) -> None:
        self._parts = parts

    @cached_property
    def askers(self) -> Askers:
        """Of who asked, as they are today."""
        parts = self._parts
        return Askers(parts.authorization, parts.registry, parts.store, parts.clock)

    @cached_property
    def _approvers(self) -> Approvers:
        parts = self._parts
        return Approvers(parts.authorization, self.askers, parts.host, parts.store)

    @cached_property
    def _review(self) -> BindingReview:
        return BindingReview(self._parts.registry, self._parts.host, self._pin)

    async def _pin(self, image: str | Live) -> Outcome:
        """Which image exactly it is, by the engine."""
        async for progress in self._parts.engine.pin(image):
            if isinstance(progress, Outcome):
                return progress
        raise RuntimeError("the engine fell silent without an outcome")

    @cached_property
    def handler(self) -> ApprovalHandler:
        """What people say of a run."""
        parts = self._parts
        return ApprovalHandler(parts.authorization, self._approvers, self._review, parts.store, parts.clock)

    @cached_property
    def inbox(self) -> ApprovalInbox:
        """What waits for somebody."""
        return ApprovalInbox(self._approvers, self._parts.store)

    @cached_property
    def holds(self) -> HoldHandler:
        """Of held runs whose moment has come."""
        parts, gatekeeper = self._parts, Gatekeeper(self._parts.registry, self._parts.clock)
        releases = ApprovalReleases(
            self._approvers, self.askers, self._review, parts.store, gatekeeper.release
        )
        return HoldHandler(gatekeeper, self.askers, releases, parts.store, parts.clock)
