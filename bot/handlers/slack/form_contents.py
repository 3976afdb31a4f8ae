"""What a form holds: for a job, for a run that is to be repeated with changes, or to ask which job.

Whether somebody may is asked first, as by the command; they get the form that they could fill in.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from bot.access import links
from bot.access.scopes import EXEC
from bot.catalog.catalog import Job
from bot.errors import AskerError, Elsewhere, NotAllowed
from bot.handlers.actions import Actions
from bot.handlers.authorization import RequestContext
from bot.handlers.conditions import Conditions, conditions
from bot.handlers.orders import standing_tag
from bot.handlers.overrides import may_override
from bot.handlers.repetitions import ref_of, tag_of
from bot.handlers.selection import RunReference
from bot.handlers.slack.form_origins import FormOrigin
from bot.handlers.slack.forms import start_words
from bot.handlers.start import StartRequest
from bot.handlers.visibility import Visibility
from bot.messages import mrkdwn, timetables, waits
from bot.messages.slack import elements, forms
from bot.messages.slack.elements import Block
from bot.messages.slack.forms import Repetition, RunForm, TooLarge
from bot.store import Store
from bot.text import vocabulary
from bot.text.wording import quoted

NONE = "There is no job here that you may run from Slack."
UNKNOWN = "It cannot be found out now which jobs you may run; please try again soon."


class FormContents:
    """Makes them; `AskerError` where there is none for the asker, `RetryLater` where it is not known now.

    `entrance` gives the link with which a login logs in to the pages.
    """

    def __init__(
        self,
        actions: Actions,
        visibility: Visibility,
        store: Store,
        clock: Callable[[], float],
        entrance: Callable[[str], str],
    ) -> None:
        self._actions = actions
        self._visibility = visibility
        self._store = store
        self._clock = clock
        self._entrance = entrance

    async def of_login(self, context: RequestContext) -> Block:
        """The link with which who asks logs in to the pages."""
        if context.login is None:
            raise LookupError("only who is known on GitHub gets here")
        return forms.entrance(context.login, self._entrance(context.login), links.TICKET_LIFE // 60)

    async def of_job(
        self, context: RequestContext, name: str, request: StartRequest, origin: FormOrigin
    ) -> Block:
        """The form of a job, filled in with what was given already."""
        job = self._actions.authorization.catalog(context).job(name)
        form = await self._form(context, job, origin)
        form = replace(
            form,
            values=request.parameters,
            arguments=request.arguments,
            ref=request.ref,
            image_tag=request.image_tag,
            override=request.override,
            start=" ".join(start_words(request)) or None,
        )
        return await self._view(context, form, origin.for_job(name))

    async def of_run(self, context: RequestContext, number: int, origin: FormOrigin) -> Block:
        """The form of the job of a run, filled in with what that ran with."""
        run = await self._actions.selection.find(context, RunReference(number))
        job = self._actions.authorization.catalog(context).jobs.get(run.job)
        if run.job == EXEC or job is None:
            what = (
                "is a single command" if run.job == EXEC else f"is of {quoted(run.job)}, which was taken away"
            )
            raise NotAllowed(f"#{run.number} {what}, so there is nothing to fill in.")
        form = await self._form(context, job, origin)
        form = replace(
            form,
            values=run.parameters,
            arguments=tuple(run.arguments),
            ref=ref_of(run),
            image_tag=tag_of(run, form.image),
            repeated=Repetition(number, run.commit, run.ref),
        )
        return await self._view(context, form, origin.for_job(job.name, rerun_of=number))

    async def of_jobs(self, context: RequestContext, origin: FormOrigin) -> Block:
        """The form that asks which job, with those that the asker may run."""
        sight = await self._visibility.of(context)
        if not sight.jobs:
            raise Elsewhere(UNKNOWN) if sight.unknown else AskerError(NONE)
        note = None
        if sight.unknown:
            note = f"Of more jobs it is not known now whether you may run them ({sight.unknown} unanswered)."
        metadata = origin.for_jobs_of(sight.keys).metadata
        return await asyncio.to_thread(forms.job_menu, list(sight.jobs.values()), metadata, note=note)

    async def _form(self, context: RequestContext, job: Job, origin: FormOrigin) -> RunForm:
        """The empty form of a job that the asker may run."""
        catalog = self._actions.authorization.catalog(context)
        await self._actions.authorization.require_job(context, job.name)
        image = None if job.image is None else catalog.image(job.image)
        repository = catalog.repository_of(job)
        found, standing = await self._store.read(
            lambda s: (
                conditions(s, self._actions.enqueuer, context, job, repository, self._clock()),
                standing_tag(s, job, catalog.images),
            )
        )
        channel = job.notify.slack if job.notify.slack and not job.notify.slack.startswith("#") else None
        return RunForm(
            job,
            image,
            repository,
            standing=None if standing is None else standing.tag,
            conditions=_lines(found),
            overridable=found.frozen and await may_override(self._actions.authorization, context),
            asks_channel=origin.channel is None,
            channel=channel,
        )

    async def _view(self, context: RequestContext, form: RunForm, origin: FormOrigin) -> Block:
        try:
            return await asyncio.to_thread(forms.run_form, form, origin.metadata)
        except TooLarge as error:
            word = self._actions.authorization.first_word(context)
            line = f"{word} run {form.job.name} KEY=VALUE ..."
            if form.repeated is not None:
                line = f"{word} rerun #{form.repeated.number} KEY=VALUE ..."
            raise AskerError(
                f"{quoted(form.job.name)} has no form: {error}. Please type `{line}` instead; "
                f"`{word} help {form.job.name}` lists what it takes."
            ) from None


def _lines(found: Conditions) -> list[str]:
    """What is in the way of a new run now, and whether the schedule is paused; in mrkdwn."""
    lines = list[str]()
    if found.refusal is not None:
        lines.append(f":no_entry: now: {mrkdwn.slack_text(found.refusal)}")
    elif found.waiting is not None:
        lines.append(f":hourglass: would wait now for {mrkdwn.fitted(waits.words(found.waiting), 500)}")
    if found.passed is not None and found.refusal is None:
        lines.append(f":lock: {mrkdwn.slack_text(waits.passed(found.passed))}")
    for seen in found.timing:
        if seen.paused_by is None:
            continue
        zone = seen.timetable.timezone
        until = (
            "" if seen.paused_until is None else f" until {timetables.local_time(seen.paused_until, zone)}"
        )
        by = mrkdwn.span(vocabulary.who(seen.paused_by), 80)
        which = "its schedule" if seen.name is None else f"its schedule {mrkdwn.span(seen.name, 80)}"
        why = f": {mrkdwn.literal(seen.paused_why, 200)}" if seen.paused_why else ""
        lines.append(f":double_vertical_bar: {which} is paused{until} by {by}{why}")
    return [elements.mrkdwn(line)["text"] for line in lines]
