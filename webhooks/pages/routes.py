"""Which pages there are, and where."""

from starlette.routing import Route

from webhooks.pages.actions import ActionPages, acting
from webhooks.pages.audit import AuditPage
from webhooks.pages.deliveries import DeliveryPages
from webhooks.pages.editor import JobEditor
from webhooks.pages.freezes import FreezeActions
from webhooks.pages.github_login import GitHubLogin
from webhooks.pages.hooks import HookPages
from webhooks.pages.job import JobPages
from webhooks.pages.jobs import JobListPages
from webhooks.pages.lists import ListPages
from webhooks.pages.log import LogPages
from webhooks.pages.login import Login
from webhooks.pages.lookup import SubjectLookup
from webhooks.pages.overview import OverviewPage
from webhooks.pages.parts import GitHubEntrance, Handler, Pages, guard
from webhooks.pages.removals import RemovalPages
from webhooks.pages.run_form import RunForm
from webhooks.pages.sessions import SessionPages
from webhooks.pages.slack_login import SlackLogin
from webhooks.pages.subjects import SubjectPages

__all__ = ["GitHubEntrance", "Pages", "routes"]


def routes(pages: Pages) -> list[Route]:
    """All pages, the login and the static files."""
    entrance = pages.github
    login = Login(pages.access, pages.renderer, clock=pages.clock, with_github=entrance is not None)
    lists, lookup = ListPages(pages), SubjectLookup(pages)
    subjects, logs = SubjectPages(pages, lookup), LogPages(pages, lookup)
    removals, editor = RemovalPages(pages, lookup), JobEditor(pages)
    job, run_form, hook_pages = JobPages(pages), RunForm(pages), HookPages(pages)
    overview, sessions, delivered = OverviewPage(pages), SessionPages(pages), DeliveryPages(pages)

    def guarded(path: str, handler: Handler, *, every: bool = False) -> Route:
        return Route(path, guard(pages, login, handler, every=every), methods=["GET"])

    mounts = [
        guarded("/", overview.page),
        guarded("/overview", overview.part),
        guarded("/events", lists.changes),
        guarded("/jobs", JobListPages(pages).page),
        guarded("/jobs/{name}", job.history),
        guarded("/jobs/{name}/run", run_form.page),
        guarded("/jobs/{name}/schedule", job.schedule),
        guarded("/jobs/{name}/definition", job.definition),
        guarded("/jobs/{name}/rules", hook_pages.page),
        guarded("/jobs/{name}/hooks", hook_pages.list),  # of whoever loads the answer to its form again
        guarded("/jobs/{name}/hooks/{hook}/delete", hook_pages.removal),
        guarded("/new", editor.new),  # not below /jobs/, where a job could be called so
        guarded("/jobs/{name}/edit", editor.edit),
        guarded("/jobs/{name}/delete", editor.removal),
        guarded("/deliveries", delivered.page),
        guarded("/sessions", sessions.page),
        guarded("/audit", AuditPage(pages).page),
    ]
    mounts += [guarded("/api/", lists.api, every=True), guarded("/api", lists.api, every=True)]
    for kind in ("runs", "builds"):
        mounts += [
            guarded(f"/{kind}/{{number}}", subjects.page),
            guarded(f"/{kind}/{{number}}/events", subjects.events),
            guarded(f"/{kind}/{{number}}/log", logs.text),
            guarded(f"/{kind}/{{number}}/search", logs.search),
            guarded(f"/{kind}/{{number}}/first-error", logs.first_error),
        ]
    mounts.append(guarded("/runs/{number}/delete", removals.page))
    do, frozen = ActionPages(pages.actions), FreezeActions(pages.actions)
    for path, action in (
        ("/jobs/{name}/run", run_form.submit),
        ("/jobs/{name}/pause", job.pause),
        ("/jobs/{name}/resume", job.resume),
        ("/jobs/{name}/skip", job.skip),
        ("/jobs/{name}/backfill", job.backfill),
        ("/jobs/{name}/hooks", hook_pages.create),
        ("/jobs/{name}/hooks/{hook}/delete", hook_pages.remove),
        ("/new", editor.create),
        ("/jobs/{name}/edit", editor.change),
        ("/jobs/{name}/delete", editor.remove),
        ("/runs/{number}/rerun", do.rerun),
        ("/runs/{number}/cancel", do.cancel),
        ("/runs/{number}/approve", do.approve),
        ("/runs/{number}/deny", do.deny),
        ("/runs/{number}/delete", removals.remove),
        ("/lock", do.lock),
        ("/unlock", do.unlock),
        ("/freeze", frozen.freeze),
        ("/thaw", frozen.thaw),
        ("/schedules/pause", do.pause_all),
        ("/schedules/resume", do.resume_all),
        ("/sessions/{number}/end", sessions.end),
        ("/deliveries/{number}/retry", delivered.retry),
    ):
        mounts.append(Route(path, acting(pages, login, action), methods=["POST"]))
    if entrance is not None:
        there_and_back = GitHubLogin(entrance.logins, pages.access, entrance.url, entrance.keys, login)
        mounts += there_and_back.routes()
    mounts += SlackLogin(pages.access, pages.renderer, login).routes()
    return [*mounts, *login.routes(), pages.renderer.route()]
