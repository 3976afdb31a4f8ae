"""What the table of routes is made of: an operation, who may use it, what it takes and answers."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from pydantic import BaseModel

from webhooks.api import queries

JSON = "application/json"
TEXT = "text/plain"


class Needs(Enum):
    """What a token has to have for a route; `admin` is enough for all of them."""

    ANY = "any token"
    SEE = "`read`; `run:JOB` for its own job"
    READ = "`read`"
    RUN = "`run:JOB`"
    EXEC = "`exec`"
    CONCERNED = "`run:JOB` of a job concerned"
    ADMIN = "`admin`"
    HOOK = "the token of the job's hook"


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back: its shape (a `TypedDict`, or a media type), and headers by name with what they say."""

    shape: Any = None
    meaning: str = "The answer."
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Header:
    """A header that a request may have. `pattern`: what values it takes, such as `example`."""

    name: str
    meaning: str
    pattern: str
    example: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `problems` are those of its own, besides what holds for all.

    `verb` is the command of a chat (`bot.commands.grammar`) that it carries out.
    """

    method: str
    path: str
    needs: Needs
    summary: str
    answers: dict[int, Answer]
    query: tuple[queries.Parameter, ...] = ()
    headers: tuple[Header, ...] = ()
    body: type[BaseModel] | None = None
    body_required: bool = False
    problems: tuple[int, ...] = ()
    verb: str | None = None

    @property
    def id(self) -> str:
        """Its name in the OpenAPI document, and of functions that are made of it, such as `start_job`."""
        return _NAMES[self.method, self.path]


_NAMES = {
    ("GET", "/api/openapi.json"): "get_openapi",
    ("GET", "/api/jobs"): "list_jobs",
    ("GET", "/api/jobs/{name}"): "get_job",
    ("PUT", "/api/jobs/{name}"): "put_job",
    ("DELETE", "/api/jobs/{name}"): "delete_job",
    ("POST", "/api/jobs/{name}/start"): "start_job",
    ("DELETE", "/api/jobs/{name}/tag"): "delete_job_tag",
    ("POST", "/api/jobs/{name}/plan"): "plan_job",
    ("GET", "/api/jobs/{name}/why"): "explain_job",
    ("GET", "/api/jobs/{name}/help"): "describe_job",
    ("POST", "/api/jobs/{name}/pause"): "pause_job",
    ("POST", "/api/jobs/{name}/resume"): "resume_job",
    ("POST", "/api/jobs/{name}/skip"): "skip_job",
    ("POST", "/api/jobs/{name}/cancel"): "cancel_job",
    ("GET", "/api/runs"): "list_runs",
    ("GET", "/api/runs/{number}"): "get_run",
    ("DELETE", "/api/runs/{number}"): "delete_run",
    ("POST", "/api/runs/{number}/cancel"): "cancel_run",
    ("POST", "/api/cancel"): "cancel_own_run",
    ("POST", "/api/runs/{number}/rerun"): "rerun_run",
    ("POST", "/api/rerun"): "rerun_own_run",
    ("POST", "/api/exec"): "execute",
    ("GET", "/api/runs/{number}/logs"): "get_run_log",
    ("GET", "/api/builds/{number}"): "get_build",
    ("GET", "/api/builds/{number}/logs"): "get_build_log",
    ("GET", "/api/locks"): "list_locks",
    ("PUT", "/api/locks/{target}"): "lock_target",
    ("DELETE", "/api/locks/{target}"): "unlock_target",
    ("POST", "/api/images/{image}/build"): "build_image",
    ("GET", "/api/hooks"): "list_hooks",
    ("POST", "/api/hooks"): "create_hook",
    ("DELETE", "/api/hooks/{name}/{hook}"): "delete_hook",
    ("POST", "/hooks/{name}"): "call_hook",
    ("GET", "/api/repositories"): "list_repositories",
    ("DELETE", "/api/repositories/{name}"): "forget_repository",
    ("GET", "/api/tokens"): "list_tokens",
    ("POST", "/api/tokens"): "create_token",
    ("DELETE", "/api/tokens/{name}"): "delete_token",
}
