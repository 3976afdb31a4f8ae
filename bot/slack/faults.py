"""What an operator has to mend in Slack, said once for all that it stops, and again when it comes back.

Errors: https://docs.slack.dev/reference/methods (each method's own page)
"""

from dataclasses import dataclass
from enum import Enum

import structlog

from bot.errors import KnownFault
from bot.telemetry.metrics import SLACK_FAULTS

MOST = 1000
"""Faults that are remembered; beyond these the oldest is forgotten, and told once more if it lasts."""

MEND_S = 300.0
"""Seconds between two looks whether a token has been put right, for what is still to be said then."""
POST = "chat.postMessage"

_log = structlog.get_logger(__name__)


class Reach(Enum):
    """What stops: everything, what goes into one channel, or one method."""

    WORKSPACE = "workspace"
    CHANNEL = "channel"
    METHOD = "method"


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a method for a channel (empty where it is of none); `name` is what people call that."""

    method: str
    channel: str = ""
    name: str = ""


def _token(what: str) -> tuple[Reach, str]:
    """What is wrong with the token stops everything."""
    return Reach.WORKSPACE, f"{what}: put one of an installed app into {{setting}} and start Errand again"


_ADVICE: dict[str, tuple[Reach, str]] = {
    "not_in_channel": (
        Reach.CHANNEL,
        "Errand is not in the channel {channel}: invite it there with /invite",
    ),
    "channel_not_found": (
        Reach.CHANNEL,
        "Slack shows Errand no channel {channel}: check its name, and if it is private, invite Errand to it",
    ),
    "is_archived": (Reach.CHANNEL, "the channel {channel} is archived: unarchive it or name another one"),
    "is_inactive": (Reach.CHANNEL, "the channel {channel} is archived, so its messages stay as they are"),
    "restricted_action": (
        Reach.CHANNEL,
        "the workspace lets Errand not post in {channel}: allow it in the channel's settings",
    ),
    "restricted_action_read_only_channel": (Reach.CHANNEL, "the channel {channel} is read-only"),
    "restricted_action_thread_only_channel": (Reach.CHANNEL, "the channel {channel} takes threads only"),
    "restricted_action_non_threadable_channel": (Reach.CHANNEL, "the channel {channel} takes no threads"),
    "restricted_action_thread_locked": (Reach.CHANNEL, "a thread of {channel} is locked"),
    "posting_to_general_channel_denied": (
        Reach.CHANNEL,
        "the workspace lets Errand not post in {channel}, which everybody is in: name another channel",
    ),
    "message_not_found": (
        Reach.CHANNEL,
        "a message of Errand in {channel} was deleted: it is not posted again",
    ),
    "thread_not_found": (
        Reach.CHANNEL,
        "a message of {channel} was deleted, so nothing is posted below it",
    ),
    "cant_update_message": (
        Reach.CHANNEL,
        "a message in {channel} is another app's: what was posted with the last bot token is not edited",
    ),
    "edit_window_closed": (
        Reach.CHANNEL,
        "the workspace allows no later edits, so a message in {channel} stays as it is",
    ),
    "missing_scope": (
        Reach.METHOD,
        "Errand's Slack app lacks a scope ({needed}): add it and install the app again",
    ),
    "no_permission": (Reach.METHOD, "Errand's Slack app may not call {method}: install it again"),
    "access_denied": (Reach.METHOD, "the workspace lets Errand's Slack app not call {method}"),
    "method_not_supported_for_channel_type": (Reach.CHANNEL, "{method} does not work in {channel}"),
    "invalid_auth": _token("Slack does not know the token"),
    "not_authed": _token("Slack got no token"),
    "token_revoked": _token("the token was revoked"),
    "token_expired": _token("the token has expired"),
    "account_inactive": _token("the app of the token was removed from the workspace"),
    "user_removed_from_team": _token("the bot was removed from the workspace"),
    "team_disabled": (Reach.WORKSPACE, "the workspace is closed"),
    "not_allowed_token_type": _token("this token is of another kind"),
    "not_enabled": (
        Reach.METHOD,
        "Home is turned off: turn Home Tab on in the app's settings, under App Home",
    ),
    "link_disabled": (
        Reach.METHOD,
        "Socket Mode is turned off: turn it on in the app's settings, or leave slack.app_token out",
    ),
    "too_many_websockets": (
        Reach.METHOD,
        "Slack allows an app ten connections of Socket Mode: stop what else uses this slack.app_token",
    ),
    "team_access_not_granted": (
        Reach.WORKSPACE,
        "Errand's Slack app is not granted to this workspace: have an admin of the organisation add it",
    ),
    "org_login_required": (
        Reach.WORKSPACE,
        "the workspace moves to an organisation, and Slack takes nothing until that is done",
    ),
    "ekm_access_denied": (Reach.WORKSPACE, "the organisation's admins have suspended what apps may read"),
    "enterprise_is_restricted": (Reach.METHOD, "{method} cannot be called in an organisation"),
    "two_factor_setup_required": (Reach.WORKSPACE, "the workspace wants two-factor authentication set up"),
}

ERRORS = frozenset(_ADVICE)
"""What Slack calls the faults that are known here."""

_Key = tuple[str, str]


class Faults:
    """Tells each fault of a token when it begins; what works again is forgotten. `setting` has the token."""

    def __init__(self, setting: str = "slack.bot_token") -> None:
        self._setting = setting
        self._open: dict[_Key, tuple[Reach, str]] = {}

    def note(self, error: str, call: Call, *, needed: str = "?") -> KnownFault | None:
        """What stands in the log now because of `error`, to be raised; None for what is no such fault."""
        text = self.advice(error, call, needed=needed)
        if text is None:
            return None
        reach = _ADVICE[error][0]
        key = error, _where(reach, call)
        if key not in self._open:
            if len(self._open) >= MOST:
                self._forget(next(iter(self._open)))
            self._open[key] = reach, call.method
            SLACK_FAULTS.labels(error).inc()
            _log.warning("slack.fault", error=error, what=text, method=call.method)
        return KnownFault(text, status=error, delay=MEND_S if reach is Reach.WORKSPACE else None)

    def advice(self, error: str, call: Call, *, needed: str = "?") -> str | None:
        """What to do where Slack answered `error`; None for what is no such fault."""
        row = _ADVICE.get(error)
        if row is None:
            return None
        channel = call.name or call.channel or "it"
        about = {"channel": channel, "method": call.method, "needed": needed, "setting": self._setting}
        return row[1].format_map(about)

    def clear(self, call: Call) -> None:
        """A call worked: what stopped it is over.

        Reading a channel that Errand may not write into proves nothing: of a channel the method counts that
        was stopped, or posting itself.
        """
        for key in [key for key, (reach, method) in self._open.items() if _proves(call, reach, method, key)]:
            self._forget(key)
            _log.info("slack.mended", error=key[0], where=key[1] or "workspace")

    def _forget(self, key: _Key) -> None:
        del self._open[key]
        SLACK_FAULTS.labels(key[0]).dec()


class Untold(Faults):
    """For whoever tells of faults in another way than by the log."""

    def note(self, error: str, call: Call, *, needed: str = "?") -> KnownFault | None:
        """The fault, to be raised."""
        text = self.advice(error, call, needed=needed)
        return None if text is None else KnownFault(text, status=error)


def _where(reach: Reach, call: Call) -> str:
    match reach:
        case Reach.CHANNEL:
            return call.channel
        case Reach.METHOD:
            return call.method
        case _:
            return ""


def _proves(call: Call, reach: Reach, method: str, key: _Key) -> bool:
    """Whether a call that worked shows that the fault is no more."""
    if key[1] != _where(reach, call):
        return False
    return reach is Reach.WORKSPACE or call.method in (method, POST)
