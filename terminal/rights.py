"""`errand check --cluster`: a table of the rights that Errand has and those that it lacks."""

from typing import TYPE_CHECKING

from terminal.configured import finished
from terminal.failures import Failure, say

if TYPE_CHECKING:
    from bot.config import Config

_ADVICE = (
    "Apply what `errand manifest kubernetes` prints: its Roles have all of these. Name Secrets that"
    " only a live workload or a job of the API refers to with --secret NAMESPACE/NAME."
)


def check_cluster(config: "Config") -> None:
    """Print them; raises `Failure` where something is missing."""
    if config.engine.kind != "kubernetes":
        raise Failure("There is no cluster to ask: engine.kind is not kubernetes.")
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from bot.config import cluster_settings
    from bot.config.installing import uses_of
    from executor.kubernetes.installing.reviews import reviewed

    built = any(image.build for image in config.images.values())
    review = finished(reviewed(cluster_settings(config), uses_of(config), has_builds=built))
    table = Table(
        "right", "namespace", "for", "allowed", title=f"Rights of {review.user}", title_justify="left"
    )
    for answer in review.answers:
        rule, verdict = answer.rule, "no" if answer.missing else "yes"
        if answer.missing and answer.missing != (rule.names or rule.verbs):
            verdict = f"no: {', '.join(answer.missing)}"
        style = "red" if answer.missing else "green"
        table.add_row(Text(str(rule)), Text(rule.namespace), Text(rule.why), Text(verdict, style=style))
    out = Console()
    out.print(table)
    for text in review.hints:
        out.print(text, style="yellow", highlight=False, markup=False)
    for text in review.problems:
        say(text)
    if any(answer.missing for answer in review.answers):
        say(_ADVICE)
    if not review.is_right:
        raise Failure("The cluster does not let Errand do all that it needs.")
