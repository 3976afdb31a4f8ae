"""What GitHub is told where it waits for a word: protection rules, and checks of jobs that do not run.

https://docs.github.com/rest/actions/workflow-runs#review-custom-deployment-protection-rules-for-a-workflow-run
"""

from bot.messages.checks import CheckFields
from bot.messages.comments import headline
from bot.messages.deployments import Standing
from bot.messages.statuses import DESCRIPTION_CHARACTERS, StatusFields, basic
from bot.messages.text import iso, plain, shortened
from bot.messages.view import View

REVIEW_CHARACTERS = 1024
"""Of a comment on a deployment that waits."""
_STATUSES = {"neutral": "success", "failure": "failure"}
"""A status cannot be neutral, and what nobody waits for any more is done."""


def review(stands: Standing, environment: str, view: View | None, link: str | None) -> dict[str, str]:
    """The answer to a protection rule; while the job has not ended a report that it is on its way."""
    if view is not None:
        comment = headline(view, link)
        if view.result is not None and view.why:
            comment += f": {plain(view.why, 300)}"
    else:
        comment = f"Not started: {stands.refusal}" if stands.refusal else "It waits."
    fields = {"environment_name": environment, "comment": shortened(comment, REVIEW_CHARACTERS)}
    if stands.ended:
        fields["state"] = "approved" if stands.state == "success" else "rejected"
    return fields


def verdict_check(job: str, conclusion: str, title: str, *, nonce: str, now: float) -> CheckFields:
    """The check run of a job for which nothing runs."""
    return CheckFields(
        name=f"errand / {job}",
        status="completed",
        conclusion=conclusion,
        title=shortened(title, 200),
        summary=title,
        text=None,
        details_url=None,
        external_id=f"verdict:{nonce}",
        started_at=None,
        completed_at=iso(now),
    )


def verdict_status(job: str, conclusion: str, title: str) -> StatusFields:
    """The same as a commit status."""
    return StatusFields(
        state=_STATUSES[conclusion],
        context=f"errand / {job}",
        description=shortened(basic(title), DESCRIPTION_CHARACTERS),
        target_url=None,
    )
