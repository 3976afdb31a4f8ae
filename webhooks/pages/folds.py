"""Groups of lines that can be folded, as GitHub Actions writes them: `::group::NAME` up to `::endgroup::`.

A group does not contain another, there and here: one that begins ends the one before, so nothing that a job
writes nests. A group is open where it has not ended, or a line of it looks like an error.
"""

import html
import re

from webhooks.pages.errors import error_in

_HEAD = re.compile(r'<div id="L(\d+)" data-n="\1" class="(group|endgroup)"[^>]*>')
_TAG = re.compile(r"<[^>]*>")
_MARK = re.compile(r"(?:::|##\[)group(?:::|\])")
_END = "\n</div>"


def folded(lines: str) -> str:
    """The same lines, those of a group within `<details>`."""
    if ' class="group"' not in lines:
        return lines
    done: list[str] = []
    group: list[str] | None = None
    for line in lines.split(_END)[:-1]:
        match = _HEAD.match(line)
        if match is not None and match[2] == "group":
            done += _closed(group, ended=True)
            group = [line]
        elif group is None:
            done.append(line + _END)
        else:
            group.append(line)
            if match is not None:
                done += _closed(group, ended=True)
                group = None
    done += _closed(group, ended=False)
    return "".join(done)


def _closed(group: list[str] | None, *, ended: bool) -> list[str]:
    """The group, its name as the summary."""
    if group is None:
        return []
    first, *rest = group
    error = any(error_in(html.unescape(_TAG.sub("", line))) for line in rest)
    head, _, text = first.partition(">")
    name = _MARK.sub("", text, count=1)
    if not _TAG.sub("", name).strip():
        name += "group"
    open_ = " open" if error or not ended else ""
    return [
        f'<details class="fold"{open_}>',
        head.replace("<div", "<summary", 1) + f">{name}\n</summary>",
        *(line + _END for line in rest),
        "</details>",
    ]
