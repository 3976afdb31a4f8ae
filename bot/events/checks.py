"""Buttons of check runs, and runs of all that failed.

https://docs.github.com/webhooks/webhook-events-and-payloads#check_run and `#check_suite` there
"""

from pydantic import BaseModel

from bot.events.facts import CheckRequest, Ignored
from bot.events.payloads import SHA, Repository, User, number_of, text_at

RERUN = "rerun"


class _Check(BaseModel):
    head_sha: str
    external_id: object = ""
    app: object = None


class _CheckRun(BaseModel):
    action: str
    check_run: _Check
    requested_action: object = None
    repository: Repository
    sender: User


class _CheckSuite(BaseModel):
    action: str
    check_suite: _Check
    repository: Repository
    sender: User


def read_run(payload: object) -> CheckRequest | Ignored:
    """Somebody pressed a button of a check run: GitHub's own, or one that the App gave it."""
    event = _CheckRun.model_validate(payload)
    if event.action == "rerequested":
        button = RERUN
    elif event.action == "requested_action":
        button = (text_at(event.requested_action, "identifier") or "")[:20]
    else:
        return Ignored(f"a check run was {event.action[:40]}, which asks for nothing")
    external_id = event.check_run.external_id
    return _request(event, event.check_run, button, external_id if isinstance(external_id, str) else "")


def read_suite(payload: object) -> CheckRequest | Ignored:
    """Somebody wants the checks of a commit to run again."""
    event = _CheckSuite.model_validate(payload)
    if event.action != "rerequested":
        return Ignored(f"a check suite was {event.action[:40]}, which asks for nothing")
    return _request(event, event.check_suite, RERUN, None)


def _request(
    event: _CheckRun | _CheckSuite, check: _Check, button: str, external_id: str | None
) -> CheckRequest | Ignored:
    if event.sender.type != "User":
        return Ignored("a button that no person pressed")
    if not SHA.fullmatch(check.head_sha):
        return Ignored("a check of no commit")
    app = check.app if isinstance(check.app, dict) else {}
    client = app.get("client_id")
    return CheckRequest(
        repository=event.repository.full_name,
        commit=check.head_sha,
        external_id=external_id,
        button=button,
        sender=event.sender.login,
        public=not event.repository.private,
        apps=frozenset(str(each) for each in (number_of(app.get("id")), client) if each),
        number=number_of(event.repository.id),
        owner_number=event.repository.owner_number,
    )
