"""What happened in a repository besides pushes and comments and may start jobs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

PAYLOAD_LIMIT = 256 * 1024
"""Bytes of what a deployment or a dispatch brings for the job; larger ones start nothing."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One thing that happened in `repository`. Texts are empty and numbers None where nothing is known.

    `key` is what makes it one thing within its repository, however often and by whichever webhook it is
    told; it is made of what GitHub signs. `subject` is what people call it. `commit` is a full SHA, `ref` the
    branch or the tag (`tags/v1`); without a commit it is that of the ref, without both that of the default
    branch. `own`: the commit is the repository's and no fork's, None where GitHub has to be asked. `facts`
    are what a job's `on` compares. `payload` is what whoever made it wants the job to have, as text.
    """

    event: str
    repository: str
    public: bool
    default_branch: str
    key: str
    subject: str
    sender: str
    commit: str = ""
    ref: str = ""
    own: bool | None = None
    head: str = ""
    """The fork that the commit is of, where that is known."""
    facts: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    echoes: str = ""
    """How the keys of the same thing begin, where only who tells of it says whether it is another one."""
    environment: str = ""
    deployment: int | None = None
    callback: str = ""
    """The API that wants to hear whether `environment` may be deployed to."""
    review: int | None = None
    """The run of a workflow that waits for it."""
    pull: int | None = None
    at: str = ""
    """When it happened, ISO 8601, as far as the order of several matters."""
    skip: str | None = None
    """What its commit says nothing is to run by; empty: nothing does, None: GitHub has to be asked."""
    payload: str | None = None
    number: int | None = None
    owner_number: int | None = None
