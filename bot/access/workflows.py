"""Which workflows of GitHub Actions may start a job: what one proves to be, and the rules for it. Pure.

A rule looks only at what whoever may write to a repository has settled: its name or number, the ref, the
environment and the file of the workflow. It never looks at what the opener of a pull request chooses, such as
the name of its branch, nor at who pushed the button. What the claims mean:
https://docs.github.com/en/actions/reference/security/oidc
"""

import re
from dataclasses import dataclass, replace
from string import ascii_lowercase, ascii_uppercase

from bot.states import ActorKind
from bot.text.globs import matches

PREFIX = ActorKind.ACTIONS.named("")

ISSUER = "https://token.actions.githubusercontent.com"
"""Who signs for the workflows of github.com."""

LONGEST = 500
"""Characters of one rule."""

_PULL = "refs/pull/"
_EVENTS = frozenset({"pull_request", "pull_request_target"})
"""Events of which a stranger says what they are about."""

_RULE = re.compile(
    r"(?P<owner>[^/@:#\s]+)/(?P<name>[^/@:#\s]+)(?:#(?P<number>[^@:\s]*))?(?:@(?P<ref>[^:\s]*))?"
    r"(?::workflow:(?P<file>[^:\s]*))?(?::environment:(?P<environment>.*))?"
)
_OWNER = re.compile(r"[A-Za-z0-9_.-]{1,100}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_.*-]{1,100}", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_REF = re.compile(r"refs/(?:heads|tags|pull)/[^\x00-\x20\x7f~^?\[\\]+", re.ASCII)
_FILE = re.compile(r"[A-Za-z0-9_.*-]{1,200}", re.ASCII)
_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)
_EXAMPLE = "such as actions:acme/shop@refs/heads/main or actions:acme/shop:environment:production"


@dataclass(frozen=True, slots=True)
class Workflow:
    """A job of a workflow, as GitHub has signed for it. `environment` is None where the job names none.

    `sender` is the login of whose doing it runs, empty where that is not known; no rule looks at it.
    """

    repository: str
    repository_id: str
    ref: str
    event: str
    workflow_ref: str
    environment: str | None = None
    owner_id: str | None = None
    sender: str = ""

    def known_as(self, name: str) -> "Workflow":
        """The same under the name by which its repository is known here; its own files stay its own."""
        own = f"{self.repository}/"
        path = self.workflow_ref
        if path.startswith(own):
            path = f"{name}/{path.removeprefix(own)}"
        return replace(self, repository=name, workflow_ref=path)

    @property
    def name(self) -> str:
        """Who it is in the history: `actions:acme/shop@refs/heads/main`."""
        return f"{PREFIX}{self.repository}@{self.ref}"

    @property
    def is_pull(self) -> bool:
        """Whether a pull request is what it runs for: then its opener has a say in what it does."""
        return self.event in _EVENTS or self.ref.startswith(_PULL)


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of `allow`: all that it names has to fit. Patterns are of `bot.text.globs`."""

    repository: str
    repository_id: str | None = None
    ref: str | None = None
    file: str | None = None
    environment: str | None = None

    def fits(self, workflow: Workflow) -> bool:
        """Whether `workflow` is one of those that this rule lets in."""
        return (
            self._fits_repository(workflow)
            and self._fits_ref(workflow)
            and self._fits_file(workflow)
            and self._fits_environment(workflow)
        )

    def _fits_repository(self, workflow: Workflow) -> bool:
        """A number decides alone: it stays when the repository is renamed."""
        if self.repository_id is not None:
            return self.repository_id == workflow.repository_id
        return matches(small(self.repository), small(workflow.repository))

    def _fits_ref(self, workflow: Workflow) -> bool:
        """A pull request only where the rule says so: its code is not what somebody here has reviewed."""
        if workflow.is_pull and not (self.ref or "").startswith(_PULL):
            return False
        return self.ref is None or matches(self.ref, workflow.ref)

    def _fits_file(self, workflow: Workflow) -> bool:
        """The file has to stand in the repository itself, and at the ref that is asked for."""
        if self.file is None:
            return True
        path, _, ref = workflow.workflow_ref.partition("@")
        directory = f"{workflow.repository}/.github/workflows/"
        return (
            path.startswith(directory)
            and matches(self.file, path.removeprefix(directory))
            and matches(self.ref or "**", ref)
        )

    def _fits_environment(self, workflow: Workflow) -> bool:
        """GitHub does not tell environments by case."""
        if self.environment is None:
            return True
        environment = workflow.environment
        return environment is not None and matches(small(self.environment), small(environment))


def small(name: str) -> str:
    """`name` with small letters for A to Z alone: Unicode has others that fold to them, such as a long s.

    Naming an environment in a workflow makes it, so its name may be chosen to look like a protected one.
    """
    return name.translate(_SMALL)


def rule(text: str) -> Rule:
    """The rule that `text` writes, `actions:OWNER/NAME[#ID][@REF][:workflow:FILE][:environment:NAME]`.

    ValueError with what is expected.
    """
    match = _RULE.fullmatch(text.removeprefix(PREFIX))
    if not text.startswith(PREFIX) or len(text) > LONGEST or match is None:
        raise ValueError(f"expected a rule {_EXAMPLE}")
    if not _OWNER.fullmatch(match["owner"]):
        raise ValueError("expected the name of an owner without *: anybody can have a repository somewhere")
    if not _NAME.fullmatch(match["name"]):
        raise ValueError("expected a repository such as acme/shop, or acme/* for all of an owner")
    _check_number(match["number"], match["name"])
    if match["ref"] is not None and not _REF.fullmatch(match["ref"]):
        raise ValueError(
            "expected a whole ref after @, such as refs/heads/main, refs/tags/v* or refs/heads/**"
        )
    if match["file"] is not None and not _FILE.fullmatch(match["file"]):
        raise ValueError(
            "expected the name of a file in .github/workflows after :workflow:, such as deploy.yml"
        )
    environment = match["environment"]
    if environment is not None and not (environment.strip() and environment.isprintable()):
        raise ValueError("expected the name of an environment after :environment:, such as production")
    return Rule(
        f"{match['owner']}/{match['name']}", match["number"], match["ref"], match["file"], environment
    )


def _check_number(number: str | None, name: str) -> None:
    if number is None:
        return
    if not _NUMBER.fullmatch(number):
        raise ValueError("expected the number of the repository after #, such as acme/shop#1296269")
    if "*" in name:
        raise ValueError("expected a repository without *: a number is that of a single one")
