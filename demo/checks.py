"""What GitHub tells when somebody presses a button of a check run; pure.

https://docs.github.com/webhooks/webhook-events-and-payloads#check_run and `#check_suite` there
"""

from demo.entities import Json, installation, iso, number_of, organization, repository, user

APP = 4711


def _app() -> Json:
    return {
        "id": APP,
        "client_id": f"Iv1.{APP}",
        "slug": "errand",
        "node_id": "A_1",
        "owner": user("acme"),
        "name": "Errand",
        "description": None,
        "external_url": "https://errand.example.com",
        "html_url": "https://github.com/apps/errand",
        "created_at": iso(0),
        "updated_at": iso(0),
        "permissions": {"checks": "write"},
        "events": ["check_run"],
    }


def _suite(name: str, commit: str) -> Json:
    number = number_of(f"{name}@{commit}")
    return {
        "id": number,
        "node_id": f"CS_{number}",
        "head_branch": "topic",
        "head_sha": commit,
        "status": "completed",
        "conclusion": "failure",
        "url": f"https://api.github.com/repos/{name}/check-suites/{number}",
        "before": "0" * 40,
        "after": commit,
        "pull_requests": [],
        "app": _app(),
        "created_at": iso(0),
        "updated_at": iso(0),
    }


def _around(action: str, name: str, sender: str, number: int | None, private: bool) -> Json:
    return {
        "action": action,
        "repository": repository(name, private=private, number=number),
        "organization": organization(name.partition("/")[0]),
        "sender": user(sender),
        "installation": installation(),
    }


def check_run(
    name: str,
    check: int,
    commit: str,
    *,
    external_id: str,
    sender: str,
    button: str | None = None,
    private: bool = False,
    number: int | None = None,
) -> Json:
    """A button of a check run: one that the App gave it, or (None) GitHub's own that runs it again."""
    url = f"https://api.github.com/repos/{name}/check-runs/{check}"
    run: Json = {
        "id": check,
        "node_id": f"CR_{check}",
        "head_sha": commit,
        "external_id": external_id,
        "url": url,
        "html_url": f"https://github.com/{name}/runs/{check}",
        "details_url": "https://errand.example.com/runs/1",
        "status": "completed",
        "conclusion": "failure",
        "started_at": iso(0),
        "completed_at": iso(0),
        "output": {
            "title": "failed",
            "summary": "",
            "text": None,
            "annotations_count": 0,
            "annotations_url": f"{url}/annotations",
        },
        "name": "errand / hello",
        "check_suite": _suite(name, commit),
        "app": _app(),
        "pull_requests": [],
    }
    made = {**_around("rerequested", name, sender, number, private), "check_run": run}
    if button is not None:
        made |= {"action": "requested_action", "requested_action": {"identifier": button}}
    return made


def check_suite(
    name: str, commit: str, *, sender: str, private: bool = False, number: int | None = None
) -> Json:
    """Somebody wants all checks of a commit to run again."""
    suite = {**_suite(name, commit), "latest_check_runs_count": 1, "check_runs_url": ""}
    return {**_around("rerequested", name, sender, number, private), "check_suite": suite}
