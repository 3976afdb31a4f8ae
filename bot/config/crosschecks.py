"""What single values cannot show: names that do not fit together across the file.

Works on plain data, so that it can tell its mistakes beside all others.
"""

from collections.abc import Iterator, Mapping

from bot.access.scopes import EXEC
from bot.catalog.parameters import CI
from bot.config.document import Document, Path, Value
from bot.config.notices import check_notify
from bot.text.wording import nearest

Section = Mapping[str, Value]


def cross_check(document: Document, data: Section) -> None:
    """Add to the mistakes of `document` what does not fit together in `data`."""
    images, jobs = _section(data, "images"), _section(data, "jobs")
    built = {name for name, image in _sections(images) if image.get("build") is not None}
    if built and data.get("github") is None:
        what = "images are built from GitHub: a github section is needed"
        document.wrong(("images",), what, key=True)
    _check_emails(document, data)
    for name, job in _sections(jobs):
        if name == EXEC:
            what = f"{EXEC} is what single commands are called in the history; choose another name"
            document.wrong(("jobs", name), what, key=True)
        _check_image(document, name, job, images)
        _check_names(document, name, job)
        _check_causes(document, data, name, job, built)
        _check_schedule(document, name, job)
        _check_mask(document, name, job)
        if job.get("requires") and data.get("github") is None:
            path = document.written(("jobs", name, "requires"))
            document.wrong(path, "what a pull request is like is asked of GitHub: a github section is needed")
        check_notify(document, name, job)
        channel = _section(job, "notify").get("slack")
        if channel is not None and _section(data, "slack").get("bot_token") is None:
            path = document.written(("jobs", name, "notify", "slack"))
            document.wrong(path, "posting to Slack needs slack.bot_token")


def _check_emails(document: Document, data: Section) -> None:
    """Only organizations on GitHub can say whose an address is."""
    repositories = _section(data, "github").get("repositories")
    patterns = repositories if isinstance(repositories, list) else []
    owners = [each for each in patterns if isinstance(each, str) and "*" not in each.partition("/")[0]]
    if _section(data, "slack").get("email_domains") and not owners:
        what = "an organization on GitHub says whose an address is: github.repositories has to name one"
        document.wrong(("slack", "email_domains"), what, key=True)


def _check_image(document: Document, name: str, job: Section, images: Section) -> None:
    image = job.get("image")
    if isinstance(image, str) and image not in images:
        near = nearest(image, images)
        hint = f"; did you mean {near}?" if near else ""
        document.wrong(document.written(("jobs", name, "image")), f"there is no image {image}{hint}")


def _check_names(document: Document, name: str, job: Section) -> None:
    """A parameter would silently replace a variable of the same name, and Errand's own replace both."""
    env = _section(job, "env")
    for section in ("env", "parameters"):
        if CI in _section(job, section):
            path = document.written(("jobs", name, section, CI))
            document.wrong(path, f"every run has {CI}=true from Errand itself; leave this out", key=True)
    for parameter in _section(job, "parameters"):
        if parameter in env:
            path = document.written(("jobs", name, "parameters", parameter))
            document.wrong(path, f"{parameter} is also a variable in env; one of them is too many", key=True)


def _check_causes(document: Document, data: Section, name: str, job: Section, built: set[str]) -> None:
    """What happens in a repository starts the jobs of the images built from it, and gives no parameters."""
    causes, path = job.get("on"), ("jobs", name, "on")
    if not isinstance(causes, list) or not causes:
        return
    image, images, pushed = job.get("image"), _section(data, "images"), "push" in causes
    what = "a push rebuilds an image first" if pushed else "`on` is about the repository of its image"
    if image is None:
        document.wrong(document.written(path), f"{what}: the job needs one")
    elif isinstance(image, str) and image in images and image not in built:
        document.wrong(document.written(path), f"{what}, and {image} is not built")
    for index, each in enumerate(causes):
        if isinstance(each, dict) and "protection_rule" in each and _section(data, "github").get("token"):
            what = "only an App can answer a protection rule, and github has a token"
            document.wrong((*document.written(path), index, "protection_rule"), what)
    silent = [each for each in causes if not (isinstance(each, dict) and "repository_dispatch" in each)]
    giver = "a push" if pushed else "what happens in a repository"
    for parameter, definition in _sections(_section(job, "parameters")) if silent else ():
        if definition.get("required") is True:
            what = f"{giver} gives no parameters, and {parameter} is required"
            document.wrong(document.written(path), what)


def _check_schedule(document: Document, name: str, job: Section) -> None:
    """A schedule gives the parameters that it names, and no others."""
    written = job.get("schedule")
    schedules = written if isinstance(written, list) else [written]
    required = [
        parameter
        for parameter, definition in _sections(_section(job, "parameters"))
        if definition.get("required") is True and definition.get("default") is None
    ]
    for index, each in enumerate(schedules):
        values = _section(each, "parameters") if isinstance(each, dict) else {}
        for parameter in required if isinstance(each, dict) else ():
            if parameter in values:
                continue
            path: Path = (
                ("jobs", name, "schedule", index) if isinstance(written, list) else ("jobs", name, "schedule")
            )
            what = f"a schedule gives no parameters, and {parameter} is required; give it a default"
            if values or isinstance(written, list):
                what = f"{parameter} is required, and this schedule does not give it"
            document.wrong(document.written(path), what)


def _check_mask(document: Document, name: str, job: Section) -> None:
    """A name in the job's own `mask` that is no variable would mask nothing."""
    mask, env = job.get("mask"), _section(job, "env")
    path: Path = ("jobs", name, "mask")
    if not isinstance(mask, list) or path not in document.values:
        return
    for index, variable in enumerate(mask):
        if isinstance(variable, str) and variable not in env:
            near = nearest(variable, env)
            hint = f"; did you mean {near}?" if near else ""
            document.wrong((*path, index), f"{variable} is no variable in env of this job{hint}")


def _section(data: Section, key: str) -> Section:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _sections(data: Section) -> Iterator[tuple[str, Section]]:
    return ((name, value) for name, value in data.items() if isinstance(value, dict))
