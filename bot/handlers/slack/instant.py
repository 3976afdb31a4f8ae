"""What Slack wants inside its own answer: what is wrong in a form, and the options of a menu.

Computed at the door from the jobs in memory: without network, database or rights, for whoever sees the form
was asked for their rights when it was opened, and is asked again when it is carried out. What it costs is
bounded by what a form and a menu hold.
"""

from collections.abc import Mapping
from typing import Any

import structlog

from bot.catalog.catalog import Catalog, Job
from bot.catalog.inputs import OVERRIDE, PARAMETER, choices_of
from bot.events import slack
from bot.handlers.entries import Entry
from bot.handlers.slack.entries import read_entry
from bot.handlers.slack.form_origins import FormOrigin, mark
from bot.handlers.slack.forms import start_words
from bot.handlers.visibility import job_key
from bot.messages.slack import elements, forms
from bot.messages.slack.actions import Action, Form
from bot.messages.slack.fields import FAMILIES, choice_options, family
from bot.messages.slack.forms import Repetition, RunForm, TooLarge
from bot.registry import Registry
from bot.text.wording import quoted

QUERY_CHARACTERS = 200

Json = Mapping[str, Any]
log = structlog.get_logger()


class InstantAnswers:
    """Gives them; the same over HTTP and over Socket Mode."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def of(self, payload: Json) -> dict[str, Any] | None:
        """What the answer to an interaction holds; None for what is to be stored, and answered empty.

        Never raises: what cannot be answered is stored, and becomes of it what becomes of it there.
        """
        try:
            match payload.get("type"):
                case "view_submission":
                    return self._submission(payload)
                case "block_suggestion":
                    return {"options": self._options(payload)}
        except Exception:
            log.exception("slack.no_instant_answer", type=str(payload.get("type"))[:60])
        return None

    def _submission(self, payload: Json) -> dict[str, Any] | None:
        """What is wrong in a form, shown in it: all of it at once."""
        fact = slack.read_form(payload)
        if fact.callback != Form.RUN:
            return None
        origin, catalog = FormOrigin.read(fact.metadata), self._registry.catalog
        job = catalog.jobs.get(origin.job)
        if job is None:
            gone = f"{quoted(origin.job)} was taken away, so nothing was started."
            return {"response_action": "update", "view": forms.notice(gone)}
        entry = read_entry(job, catalog.images.get(job.image or ""), fact.values)
        inputs = _inputs(payload)
        if _parameters(inputs) != {name: family(each) for name, each in job.parameters.items()}:
            overridable = OVERRIDE in inputs
            return self._changed(catalog, job, origin, entry, overridable=overridable)
        shown = {block: what for block, what in entry.mistakes.items() if block in inputs}
        if shown:
            return {"response_action": "errors", "errors": shown}
        return None

    def _changed(
        self, catalog: Catalog, job: Job, origin: FormOrigin, entry: Entry, *, overridable: bool
    ) -> dict[str, Any]:
        """The form anew, since the job has other parameters than when it was opened."""
        request = entry.request
        form = RunForm(
            job=job,
            image=catalog.images.get(job.image or ""),
            repository=catalog.repository_of(job),
            values=request.parameters,
            arguments=request.arguments,
            ref=request.ref,
            image_tag=request.image_tag,
            repeated=None if origin.rerun_of is None else Repetition(origin.rerun_of),
            asks_channel=origin.channel is None,
            overridable=overridable,
            override=request.override,
            start=" ".join(start_words(request)) or None,
            notice=forms.CHANGED,
        )
        try:
            view = forms.run_form(form, origin.metadata)
        except TooLarge as error:
            view = forms.notice(f"{quoted(job.name)} was changed: {error}. Please type a command instead.")
        return {"response_action": "update", "view": view}

    def _options(self, payload: Json) -> list[elements.Block]:
        """Those of a menu that fit what was typed, at most a hundred."""
        query = str(payload.get("value") or "")[:QUERY_CHARACTERS]
        view = payload.get("view")
        origin = FormOrigin.read(str(view.get("private_metadata")) if isinstance(view, dict) else "")
        catalog, block = self._registry.catalog, str(payload.get("block_id"))
        if payload.get("action_id") == Action.FORM_JOB:
            return forms.job_options(_offered(catalog, origin), query)
        parameter = catalog.job(origin.job).parameters[block.removeprefix(PARAMETER)]
        return choice_options(choices_of(parameter), query)


def _offered(catalog: Catalog, origin: FormOrigin) -> list[Job]:
    """The jobs that the form offers: those of which the asker was known to be one who may run them."""
    marks: dict[str, bool] = {}

    def is_marked(key: str) -> bool:
        if key not in marks:
            marks[key] = mark(key) in origin.repositories
        return marks[key]

    jobs = catalog.jobs.values()
    return [job for job in jobs if is_marked(job_key(job, catalog.repository_of(job)))]


def _inputs(payload: Json) -> dict[str, str]:
    """The families of the inputs that the form has, by their block: only there a mistake can be shown."""
    view = payload.get("view")
    blocks = view.get("blocks") if isinstance(view, dict) else None
    found: dict[str, str] = {}
    for block in blocks if isinstance(blocks, list) else []:
        if isinstance(block, dict) and block.get("type") == "input":
            element = block.get("element")
            kind = element.get("type") if isinstance(element, dict) else None
            found[str(block.get("block_id"))] = FAMILIES.get(str(kind), "")
    return found


def _parameters(inputs: Mapping[str, str]) -> dict[str, str]:
    found = inputs.items()
    return {block.removeprefix(PARAMETER): each for block, each in found if block.startswith(PARAMETER)}
