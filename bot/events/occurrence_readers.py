"""Which event of GitHub says what: one row in `READERS` for each that a job can name in `on`.

A row says what the thing is known by, which commit it speaks of, and what a job's `on` compares. What lacks
what it cannot do without is `Unreadable`; everything else may be missing.
Payload shapes: https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from bot.events.fields import Payload, Unreadable, is_sayable
from bot.events.occurrences import PAYLOAD_LIMIT, Occurrence
from bot.text import refs
from bot.text.wording import visible

PARAMETERS = 100
"""Parameters of a dispatch."""

Fields = dict[str, Any]
"""Those of an `Occurrence`, but for its repository and its sender."""

_CALLBACK = re.compile(
    r"(https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._/-]*)?)/repos/([A-Za-z0-9._-]+/[A-Za-z0-9._-]+)"
    r"/actions/runs/([1-9][0-9]{0,17})/deployment_protection_rule",
    re.ASCII,
)


def _deployment(payload: Payload) -> Fields:
    _only(payload, "created")
    number, environment = payload.needed("deployment", "id"), payload.words("deployment", "environment")
    return {
        **_deployed(payload),
        "key": f"deployment:{number}",
        "subject": f"deployment to {environment}",
        "deployment": number,
        "payload": _material(payload.value("deployment", "payload")),
    }


def _deployment_status(payload: Payload) -> Fields:
    _only(payload, "created")
    number, state = payload.needed("deployment_status", "id"), payload.words("deployment_status", "state")
    environment = payload.text("deployment_status", "environment") or payload.words(
        "deployment", "environment"
    )
    return {
        **_deployed(payload),
        "key": f"deployment_status:{number}",
        "subject": f"deployment to {environment}: {state}",
        "environment": environment,
        "facts": {"state": state},
        "payload": _material(payload.value("deployment", "payload")),
    }


def _protection_rule(payload: Payload) -> Fields:
    _only(payload, "requested")
    environment, address = payload.words("environment"), payload.value("deployment_callback_url")
    found = _CALLBACK.fullmatch(address) if isinstance(address, str) and len(address) <= 1000 else None
    if found is None or found[2].casefold() != payload.text("repository", "full_name").casefold():
        raise Unreadable("its callback is no address of GitHub for this repository, so nothing was started")
    made = payload.number("deployment", "id")
    deployed = _deployed(payload)
    return {
        **deployed,
        # A run of a workflow that is tried again makes another deployment, and asks again.
        "key": f"protection_rule:{found[3]}:{environment}:{made or ''}",
        "subject": f"protection rule of {environment}",
        "environment": environment,
        "commit": payload.sha("sha") or deployed["commit"],
        "ref": payload.branch("ref") or deployed["ref"],
        "callback": found[1],
        "review": int(found[3]),
        "once": made is None,
        "payload": _material(payload.value("deployment", "payload")),
    }


def _deployed(payload: Payload) -> Fields:
    """What every event about a deployment has."""
    return {
        "commit": payload.sha("deployment", "sha"),
        "ref": payload.branch("deployment", "ref"),
        "environment": payload.text("deployment", "environment"),
    }


def _release(payload: Payload) -> Fields:
    _only(payload, "published", "released", "prereleased")
    tag, action = payload.words("release", "tag_name"), payload.text("action")
    at = payload.text("release", "published_at")
    if not refs.is_name(tag):
        raise Unreadable("a release of what git would not take as the name of a tag")
    return {
        "key": f"release:{payload.needed('release', 'id')}:{action}:{at}",
        "subject": f"release {tag} {action}",
        "ref": f"tags/{tag}",
        "facts": {"action": action},
    }


def _pull_request(payload: Payload) -> Fields:
    number, action = payload.needed("pull_request", "number"), payload.text("action")
    _only(payload, "opened", "synchronize", "reopened", "ready_for_review", "closed", "labeled")
    commit, label = payload.sha("pull_request", "head", "sha"), payload.text("label", "name")
    at, base = payload.text("pull_request", "updated_at"), payload.branch("pull_request", "base", "ref")
    labeled = label if action == "labeled" else ""
    what = f"labeled {label}" if labeled else action
    return {
        "key": ":".join(["pull_request", str(number), action, commit, labeled, at]),
        "subject": f"pull request {number} {what}",
        "commit": commit,
        "ref": payload.branch("pull_request", "head", "ref"),
        "own": _is_own(payload, "pull_request", "head", "repo"),
        "head": payload.text("pull_request", "head", "repo", "full_name"),
        "pull": number,
        "at": at,
        "facts": {"action": action, "label": labeled, "branch": base},
    }


def _workflow_run(payload: Payload) -> Fields:
    _only(payload, "completed")
    number, attempt = payload.needed("workflow_run", "id"), payload.number("workflow_run", "run_attempt")
    name, conclusion = payload.text("workflow_run", "name"), payload.text("workflow_run", "conclusion")
    file = payload.text("workflow_run", "path") or payload.text("workflow", "path")
    branch = payload.branch("workflow_run", "head_branch")
    own = _is_own(payload, "workflow_run", "head_repository")
    fork = payload.text("workflow_run", "head_repository", "full_name")
    if payload.text("workflow_run", "event") == "pull_request_target":
        raise Unreadable("a workflow of pull_request_target, which anybody's pull request lets run")
    return {
        "key": f"workflow_run:{number}:{attempt or 1}",
        "subject": f"workflow {name or file}: {conclusion or 'no conclusion'}",
        "commit": payload.sha("workflow_run", "head_sha"),
        "ref": branch,
        "own": None if own else False,
        "head": fork,
        "facts": {
            "name": payload.text("workflow", "name") or name,
            "file": file.partition("@")[0].rpartition("/")[2],
            "conclusion": conclusion,
            # The `main` of a fork is another branch, which whoever made the fork may push to.
            "branch": branch if own or not branch else f"{fork.partition('/')[0]}:{branch}",
        },
    }


def _merge_group(payload: Payload) -> Fields:
    _only(payload, "checks_requested")
    commit = payload.sha("merge_group", "head_sha")
    branch = payload.branch("merge_group", "base_ref")
    return {
        "key": f"merge_group:{commit}",
        "subject": f"merge group of {branch or 'a branch'}",
        "commit": commit,
        "ref": payload.branch("merge_group", "head_ref"),
        "own": True,  # a branch that GitHub made, of what people who may write have put into the queue
        "facts": {"branch": branch},
    }


def _repository_dispatch(payload: Payload) -> Fields:
    kind, job = payload.words("action"), payload.words("client_payload", "job")
    written = payload.value("client_payload", "parameters")
    if written is not None and (not isinstance(written, dict) or len(written) > PARAMETERS):
        raise Unreadable("its parameters are no names and values, or too many")
    chosen = payload.text("client_payload", "key")
    content = json.dumps([payload.value("client_payload"), payload.text("sender", "login")], sort_keys=True)
    echoes = f"repository_dispatch:{kind}:{hashlib.sha256(content.encode()).hexdigest()}:"
    source = payload.number("installation", "id") or 0
    return {
        "key": f"repository_dispatch:{kind}:{chosen}" if chosen else f"{echoes}{source}",
        "echoes": "" if chosen else echoes,
        "subject": f"dispatch {kind} of {job}",
        "ref": payload.branch("branch"),
        "facts": {"type": kind, "job": job},
        "once": not chosen,
        "parameters": {name: _parameter(name, value) for name, value in (written or {}).items()},
    }


READERS: Mapping[str, Callable[[Payload], Fields]] = {
    "deployment": _deployment,
    "deployment_status": _deployment_status,
    "deployment_protection_rule": _protection_rule,
    "release": _release,
    "pull_request": _pull_request,
    "workflow_run": _workflow_run,
    "merge_group": _merge_group,
    "repository_dispatch": _repository_dispatch,
}
"""By GitHub's name of the event."""

_NAMED = frozenset({"release", "repository_dispatch"})
"""Events that name a tag or a branch; all others are about a commit, and one without is none."""


def read(event: str, data: object, delivery: str) -> Occurrence:
    """What happened, as the delivery of this key tells; raises `Unreadable` with a sentence why not."""
    payload = Payload(data)
    fields = READERS[event](payload)
    if event not in _NAMED and not fields["commit"]:
        raise Unreadable("the payload lacks what is needed, first: the commit")
    if fields.pop("once", False):  # nothing that GitHub signs tells it from another one like it
        fields["key"] += f":{delivery}"
    fields["subject"] = visible(fields["subject"])
    return Occurrence(
        event=event,
        repository=payload.words("repository", "full_name"),
        public=payload.value("repository", "private") is False,
        default_branch=payload.branch("repository", "default_branch"),
        sender=payload.text("sender", "login") or "somebody",
        number=payload.number("repository", "id"),
        owner_number=payload.number("repository", "owner", "id"),
        **fields,
    )


def _only(payload: Payload, *actions: str) -> None:
    action = payload.text("action")
    if action not in actions:
        raise Unreadable(f"it was {action[:40] or 'something'}, which starts nothing")


def _is_own(payload: Payload, *path: str) -> bool:
    """Whether the repository at `path` is the one that the event is of, and no fork of it."""
    there, here = payload.number(*path, "id"), payload.number("repository", "id")
    if there is not None and here is not None:
        return there == here
    name = payload.text(*path, "full_name").casefold()
    return bool(name) and name == payload.text("repository", "full_name").casefold()


def _material(value: object) -> str | None:
    """What is to reach the job: a text as it is, everything else as JSON; None where there is nothing."""
    if value is None or value in ("", {}, []):
        return None
    text = value if isinstance(value, str) and is_sayable(value) else json.dumps(value)
    if len(text.encode()) > PAYLOAD_LIMIT:
        raise Unreadable(f"its payload is larger than {PAYLOAD_LIMIT // 1024} KiB")
    return text


def _parameter(name: object, value: object) -> str:
    """The text of a parameter, as somebody would type it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and is_sayable(value):
        return value
    raise Unreadable(f"its parameter {str(name)[:40]} is no text, number or truth value")
