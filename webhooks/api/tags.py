"""Tags that were chosen for jobs, as the API and a job's page show them."""

from collections.abc import Mapping

from bot.catalog.catalog import Job
from bot.catalog.images import Image
from bot.handlers.orders import counts
from bot.store import Session, image_tags
from bot.tables import ImageTag


def standing(session: Session, job: Job, images: Mapping[str, Image]) -> ImageTag | None:
    """The tag that the job runs instead of what its image says; None where none that was chosen counts."""
    row, image = image_tags.of(session, job.name), images.get(job.image or "")
    return row if row is not None and image is not None and counts(row, image) else None
