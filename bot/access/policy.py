"""Who may do what. Pure: the facts are asked for elsewhere and given here."""

from dataclasses import dataclass

from bot.access.people import SENTENCES, Membership
from bot.text.wording import quoted

_MAY_WRITE = frozenset({"write", "maintain", "admin"})
"""GitHub's permissions that include writing. A custom role comes as the base role it was made from.

https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
"""


def may_write(permission: str | None) -> bool:
    """Whether this permission includes writing."""
    return permission in _MAY_WRITE


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer: `sentence` is for the person who asked (Markdown), `reason` one word or two for the log."""

    allowed: bool
    sentence: str
    reason: str


_YES = Verdict(True, "", "allowed")


def may_run(
    *,
    login: str | None,
    permission: str | None,
    repository: str,
    allowed: bool,
    membership: Membership = Membership.MEMBER,
) -> Verdict:
    """May somebody run jobs of `repository`: writing to it is the right to run its code.

    `login` is None for somebody in Slack whom nobody mapped (`membership` says why), `permission` what GitHub
    says of `login` there, `allowed` whether the repository may talk to this installation.
    """
    if not allowed:
        return Verdict(False, f"Jobs of {quoted(repository)} are not run here.", "repository not allowed")
    if login is None:
        return Verdict(False, SENTENCES[membership], "unknown Slack user")
    if not may_write(permission):
        sentence = f"Sorry, {quoted(login)}: running jobs of {quoted(repository)} needs write access to it."
        return Verdict(False, sentence, f"permission {permission or 'none'}")
    return _YES


def may_build(*, fork: bool, forks: bool) -> Verdict:
    """May the code of a pull request be built and run, which is that of a `fork` or not?"""
    if forks or not fork:
        return _YES
    sentence = "This is the code of a fork, and code of forks is not run here."
    return Verdict(False, sentence, "fork")


def may_build_foreign(*, ref: str, repository: str, forks: bool) -> Verdict:
    """May a commit that is on no branch and no tag of `repository` be built and run for it?

    GitHub keeps the commits of forks and of pull requests there too, and finds them by their SHA.
    """
    if forks:
        return _YES
    sentence = (
        f"{quoted(ref)} is on no branch and no tag of {quoted(repository)}, so it counts as the code of a"
        " fork, and code of forks is not run here."
    )
    return Verdict(False, sentence, "fork")
