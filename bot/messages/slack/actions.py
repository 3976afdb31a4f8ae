"""The names by which Slack tells us what was pressed, chosen or submitted."""

from enum import StrEnum


class Action(StrEnum):
    """The `action_id` of a button; its `value` is in brackets. Within one block each may be there once."""

    RUN_APPROVE = "run.approve"  # (number)
    RUN_DENY = "run.deny"  # (number)
    RUN_CANCEL = "run.cancel"  # (number)
    RUN_AGAIN = "run.again"  # (number)
    RUN_CHANGE = "run.change"  # (number): the form, filled in
    RUN_LOG = "run.log"  # opens an address: acknowledged, nothing else
    LINK = "link.open"  # opens an address: acknowledged, nothing else
    JOB_RUN = "job.run"  # (job, perhaps with what a command gives it, or none): the form
    JOB_PAUSE = "job.pause"  # (job or job/schedule)
    JOB_RESUME = "job.resume"  # (the same)
    SCHEDULES_RESUME = "schedules.resume"  # ()
    FREEZE_THAW = "freeze.thaw"  # (the options of the command, or none for all)
    JOB_SKIP = "job.skip"  # (the same)
    LIST_PAGE = "list.page"  # (page, from 1)
    LIST_BACK = "list.back"  # (page, from 1): the same, beside it
    LOGIN = "login.open"  # the modal with a link that logs in to the pages
    HOME_REFRESH = "home.refresh"
    FORM_JOB = "form.job"  # (job): the menu of the form that asks which job


class Form(StrEnum):
    """The `callback_id` of a modal."""

    RUN = "run"
    NOTICE = "notice"  # says something, and is not submitted


class Shortcut(StrEnum):
    """The `callback_id` of a shortcut."""

    RUN_JOB = "run_job"  # global
    RUN_JOB_HERE = "run_job_here"  # of a message
