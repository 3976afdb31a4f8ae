import httpx
from starlette.applications import Starlette

from bot.store.stats import Depths
from bot.telemetry.metrics import DELIVERIES, QUEUE, REGISTRY, count_delivery
from webhooks.metrics import routes, show


def test_unknown_events_are_counted_together() -> None:
    for event in ("star", "made_up", "x" * 60):
        count_delivery("github", event, "stored")
    labels = {sample.labels.get("event") for metric in DELIVERIES.collect() for sample in metric.samples}
    assert "other" in labels
    assert not {"star", "made_up", "x" * 60} & labels


def test_queue_shows_what_waits_now() -> None:
    show(Depths(3, 2, {"waiting": 5}, {}))
    show(Depths(1, 0, {"running": 4}, {"building": 2}))
    (queue,) = QUEUE.collect()
    assert {(s.labels["queue"], s.labels["state"]): s.value for s in queue.samples} == {
        ("deliveries", "stored"): 1,
        ("posts", "unsent"): 0,
        ("runs", "running"): 4,
        ("builds", "building"): 2,
    }


def test_names_begin_alike() -> None:
    names = {metric.name for metric in REGISTRY.collect()}
    assert all(name.startswith(("errand_", "process_", "python_")) for name in names)


async def test_page_is_made_once_however_many_ask_for_it() -> None:
    asked = 0

    async def depths() -> Depths:
        nonlocal asked
        asked += 1
        return Depths(0, 0, {}, {})

    transport = httpx.ASGITransport(Starlette(routes=routes(depths)))
    async with httpx.AsyncClient(transport=transport, base_url="http://errand.test") as client:
        answers = [await client.get("/metrics") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert asked == 1
