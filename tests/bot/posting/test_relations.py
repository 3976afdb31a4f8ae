"""Where what a run comes from can be seen, and where it is told."""

import asyncio
from pathlib import Path

import pytest

from bot.posting import relations
from bot.posting.relations import RelationFinder
from bot.tables import Post, Run
from tests.bot.house import house


def card(kind: str, remote: str | None, **values: object) -> Post:
    place = {"repository": "acme/shop", "issue": 7, "commit": "c", "channel": "C1"}
    post = Post(kind=kind, key=kind, place=place, nonce="n", created_at=0.0)
    for name, value in {"remote_id": remote, "sent": 1, **values}.items():
        setattr(post, name, value)
    return post


class Silent:
    """Slack, which does not answer."""

    async def of_message(self, where: object) -> str | None:
        await asyncio.Event().wait()
        return None


async def test_places_say_where_they_are_and_how_far_they_were_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relations, "PATIENCE_S", 0.0)
    run = Run(key="hook:1", name="n", job="check", cause="hook", actor="hook:check/ci", created_at=0.0)
    run.repository, run.commit = "acme/shop", "c" * 40
    cards = [
        card("github_comment", "12", wanted=2),
        card("github_check", "34"),
        card("github_status", None),
        card("github_status", None, sent=0, state="failed"),
        card("slack_message", "C1 12.5"),
        card("slack_message", "C1"),
        card("slack_note", "C1 12.5"),
    ]
    async with house(tmp_path) as home:
        finder = RelationFinder(home.bot.addresses, Silent())  # type: ignore[arg-type]
        found = await finder.of_run(run, cards)
    assert (found.slack, found.person, found.comment, found.pull, found.image) == (None,) * 5
    assert [(place.link or "").partition("/acme/")[2] for place in found.places] == [
        "shop/pull/7#issuecomment-12", "shop/runs/34", f"shop/commit/{'c' * 40}", "", "", "",
    ]  # fmt: skip
    assert [place.is_behind for place in found.places] == [True, False, False, False, False, False]
    assert [place.has_failed for place in found.places] == [False, False, False, True, False, False]
    assert [place.at for place in found.places] == [None, None, None, None, 12.5, None]
