"""Single commands: what they may run in, and what is stored of them. Pure.

Only what `images` names can be meant: an image by its name, any tag or digest of a repository that one of
them is from or goes to, or a workload that one of them is. So a token for this opens no other image of a
registry, and no other workload of a cluster.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from bot.access.scopes import EXEC
from bot.catalog.catalog import Job
from bot.catalog.images import Image, is_reference
from bot.catalog.notify import Notify
from bot.errors import Unfit
from bot.text.wording import did_you_mean, quoted


@dataclass(frozen=True, slots=True)
class Single:
    """One command: `image` is a name of `images`, a reference, or a workload such as `deployment/shop`.

    A text runs in `sh -c`, words run as they are. `timeout` is in seconds.
    """

    image: str
    command: str | tuple[str, ...]
    workdir: str | None = None
    timeout: float | None = None


def image_of(images: Mapping[str, Image], text: str) -> Image:
    """The image that `text` names; `Unfit` where it is none of those that may be named."""
    images = _defined(images)
    if text in images:
        return images[text]
    same = [image for image in images.values() if image.workload == text]
    if len(same) > 1:
        names = ", ".join(quoted(image.name) for image in same)
        raise _unfit(f"{quoted(text)} is meant by several images: name one of {names}.")
    if same:
        return same[0]
    if is_reference(text):
        found = Image(name="x", reference=text)
        for image in images.values():
            if image.registry is not None and image.registry == found.registry:
                return Image(name=image.name, reference=text)
    near = did_you_mean(text, images)
    raise _unfit(f"{quoted(text)} is no image, repository or workload that `images` names.{near}")


def _defined(images: Mapping[str, Image]) -> Mapping[str, Image]:
    """Without what jobs of the API name themselves."""
    return {name: image for name, image in images.items() if "/" not in name}


def _unfit(sentence: str) -> Unfit:
    return Unfit(sentence, [(("image",), sentence)])


def is_named(images: Mapping[str, Image], image: Image) -> bool:
    """Whether a stored image may still be named."""
    images = _defined(images)
    if image.workload is not None:
        known = images.get(image.name)
        return known is not None and known.live == image.live
    return image.registry is not None and any(one.registry == image.registry for one in images.values())


def job_of(single: Single, image: Image) -> Job:
    """The definition that is stored with the run; `Unfit` with what is wrong with the command."""
    fields: dict[str, object] = {"command": single.command, "workdir": single.workdir}
    if single.timeout is not None:
        fields["timeout"] = single.timeout
    try:
        return Job.model_validate(
            {"name": EXEC, "image": image.name, "notify": Notify(github=False), **fields}
        )
    except ValidationError as error:
        mistakes = [
            ((str(each["loc"][0]),), each["msg"].removeprefix("Value error, ")) for each in error.errors()
        ]
        raise Unfit("This command cannot run.", mistakes) from None
