"""Blocks and views are taken up to Slack's limits, and refused beyond them."""

from typing import Any

import pytest

from demo.blocks import InvalidBlocks, check_blocks, check_options, check_view


def text(length: int = 1, kind: str = "mrkdwn", **more: Any) -> dict[str, Any]:
    return {"type": kind, "text": "x" * length, **more}


def plain(length: int = 1) -> dict[str, Any]:
    return text(length, "plain_text")


def button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": "a", "text": plain(75), **more}


def options(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"text": plain(75), "value": f"{number}", **more} for number in range(count)]


def field(kind: str, **more: Any) -> dict[str, Any]:
    element = {"type": kind, "action_id": "value", **more}
    return {"type": "input", "label": plain(2000), "hint": plain(2000), "element": element}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def confirm(**more: int) -> dict[str, Any]:
    lengths = {"title": 100, "text": 300, "confirm": 30, "deny": 30} | more
    return {name: plain(length) for name, length in lengths.items()}


def rows(count: int, columns: int = 2, length: int = 1) -> list[list[dict[str, Any]]]:
    return [[text(length, "raw_text") for _ in range(columns)] for _ in range(count)]


def data_table(**more: Any) -> dict[str, Any]:
    return {"type": "data_table", "caption": "jobs", "rows": rows(101), **more}


def chart(
    kind: str = "line", title: int = 50, labels: list[str] | None = None, **more: Any
) -> dict[str, Any]:
    categories = [f"#{number}" for number in range(20)]
    data = [{"label": each, "value": -1.5} for each in (labels or categories)]
    axes = {"categories": categories, "x_label": "x" * 50}
    drawn = {"type": kind, "series": [{"name": "x" * 20, "data": data}], "axis_config": axes, **more}
    return {"type": "data_visualization", "title": "x" * title, "chart": drawn}


def pie(value: float, count: int = 6) -> dict[str, Any]:
    segments = [{"label": "x" * 20, "value": value}] * count
    return {"type": "data_visualization", "title": "x", "chart": {"type": "pie", "segments": segments}}


RICH = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x"}]}
LINK = {"type": "link", "url": "https://example.com", "style": {"bold": True}}
PICTURE = {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"}


@pytest.mark.parametrize(
    "block",
    [
        {"type": "section", "text": text(3000, verbatim=True), "accessory": button()},
        {"type": "section", "fields": [text(2000)] * 10},
        {"type": "header", "text": text(150, "plain_text", emoji=True)},
        {"type": "divider", "block_id": "x" * 255},
        {"type": "context", "elements": [text()] * 9 + [PICTURE]},
        {"type": "rich_text", "elements": [RICH, {"type": "rich_text_section", "elements": [LINK]}]},
        actions(*(button(action_id=f"{number}") for number in range(25))),
        actions(button(value="x" * 2000, url="https://example.com/" + "x" * 2980, style="danger")),
        actions(button(confirm=confirm())),
        actions({"type": "overflow", "options": options(5, url="https://example.com")}),
        {**PICTURE, "title": plain(2000)},
        {"type": "markdown", "text": "x" * 12_000},
        data_table(page_size=100, row_header_column_index=1),
        data_table(rows=[[{"type": "raw_number", "value": 1.5, "text": "1.5 s"}]] * 2),
        {"type": "table", "rows": rows(100, 20), "column_settings": [None, {"align": "right"}]},
        chart(),
        pie(1),
        field("static_select", options=options(100), initial_option=options(100)[99]),
        field("static_select", option_groups=[{"label": plain(75), "options": options(3)}]),
        field("external_select", min_query_length=0, placeholder=plain(150)),
        field("multi_static_select", options=options(2), initial_options=options(2), max_selected_items=2),
        field("checkboxes", options=options(10, description=text(75))),
        field("radio_buttons", options=options(10)),
        field("plain_text_input", initial_value="x" * 3000, max_length=3000, multiline=True),
        field("number_input", is_decimal_allowed=True, initial_value="-1.5", max_value="0"),
        field("datepicker", initial_date="2028-02-29"),
        field("timepicker", initial_time="23:59"),
    ],
)
def test_block_within_the_limits_is_taken(block: dict[str, Any]) -> None:
    check_blocks([block])


@pytest.mark.parametrize(
    "blocks",
    [
        "x",
        [1],
        [{"type": "divider"}] * 51,
        [{"type": "divider", "block_id": "x"}] * 2,
        [{"type": "divider", "block_id": ""}],
        [{"type": "divider", "block_id": "x" * 256}],
        [{"type": "divider", "text": "x"}],
        [{"type": ["section"]}],
        [{"type": "section"}],
        [{"type": "section", "text": text(3001)}],
        [{"type": "section", "text": text(0)}],
        [{"type": "section", "text": "x"}],
        [{"type": "section", "text": text(emoji=True)}],
        [{"type": "section", "text": text(verbatim="yes")}],
        [{"type": "section", "fields": [text()] * 11}],
        [{"type": "section", "fields": [text(2001)]}],
        [{"type": "section", "text": text(), "accessory": {"type": "plain_text_input"}}],
        [{"type": "header", "text": text(151, "plain_text")}],
        [{"type": "header", "text": text()}],
        [{"type": "context", "elements": []}],
        [{"type": "context", "elements": [text()] * 11}],
        [{"type": "context", "elements": [button()]}],
        [{"type": "rich_text", "elements": [{"type": "nope"}]}],
        [{"type": "rich_text", "elements": [{**RICH, "elements": [{"type": "text", "text": ""}]}]}],
        [{"type": "rich_text", "elements": [{**RICH, "elements": [{"type": "emoji", "name": "x"}]}]}],
        [actions()],
        [actions(*(button(action_id=f"{number}") for number in range(26)))],
        [actions(button(), button())],
        [actions(button(action_id="x" * 256))],
        [actions(button(text=plain(76)))],
        [actions(button(text=text()))],
        [actions(button(value="x" * 2001))],
        [actions(button(value=7))],
        [actions(button(url="https://example.com/" + "x" * 2981))],
        [actions(button(url="javascript:alert(1)"))],
        [actions(button(url="https://"))],
        [actions(button(url="https://example.com/a b"))],
        [actions(button(style="default"))],
        [actions(button(confirm=confirm(title=101)))],
        [actions(button(confirm=confirm(text=301)))],
        [actions(button(confirm=confirm(confirm=31)))],
        [actions(button(confirm=confirm(deny=31)))],
        [actions(button(confirm={"title": plain()}))],
        [actions({"type": "overflow", "options": options(6)})],
        [actions({"type": "plain_text_input", "action_id": "a"})],
        [{"type": "image", "image_url": "https://example.com/a.png"}],
        [{"type": "image", "image_url": "file:///etc/passwd", "alt_text": "a"}],
        [{"type": "markdown", "text": "x" * 12_001}],
        [{"type": "markdown", "text": "x" * 6_001}] * 2,
        [data_table(rows=rows(1))],
        [data_table(rows=rows(102))],
        [data_table(rows=rows(2, 21))],
        [data_table(rows=[*rows(2), *rows(1, 3)])],
        [data_table(rows=rows(2, 2, 0))],
        [data_table(rows=rows(101, 10, 10))],
        [data_table(rows=[[{"type": "raw_number", "value": "1", "text": "1"}]] * 2)],
        [data_table(rows=[[{"type": "rich_text", "elements": [RICH]}]] * 2)],
        [data_table(page_size=101)],
        [data_table(row_header_column_index=2)],
        [{"type": "data_table", "rows": rows(2)}],
        [chart()] * 3,
        [chart(title=51)],
        [chart("pie")],
        [chart(labels=["#0"])],
        [chart(series=[{"name": "x", "data": []}])],
        [chart(axis_config={"categories": ["x" * 21]})],
        [pie(0)],
        [pie(1, 7)],
        [field("static_select")],
        [field("static_select", options=[])],
        [field("static_select", options=options(101))],
        [field("static_select", options=options(1), initial_option=options(2)[1])],
        [field("static_select", options=options(1) * 2)],
        [field("static_select", options=[{"text": plain(76), "value": "x"}])],
        [field("static_select", options=[{"text": plain(), "value": "x" * 151}])],
        [field("static_select", options=[{"text": plain(), "value": ""}])],
        [field("static_select", options=[{"text": text(), "value": "x"}])],
        [field("checkboxes", options=options(11))],
        [field("checkboxes", options=options(1), initial_options=[])],
        [field("external_select", placeholder=plain(151))],
        [field("external_select", options=options(1))],
        [field("plain_text_input", max_length=3001)],
        [field("plain_text_input", initial_value="xx", max_length=1)],
        [field("plain_text_input", initial_value=5)],
        [field("number_input")],
        [field("number_input", is_decimal_allowed=False, initial_value="1.5")],
        [field("number_input", is_decimal_allowed=False, initial_value=1)],
        [field("number_input", is_decimal_allowed=False, min_value="2", initial_value="1")],
        [field("datepicker", initial_date="2027-02-29")],
        [field("datepicker", initial_date="29.11.2026")],
        [field("timepicker", initial_time="9:00")],
        [{**field("datepicker"), "label": plain(2001)}],
        [{**field("datepicker"), "hint": text()}],
        [{**field("datepicker"), "optional": 1}],
        [{"type": "alert", "text": text()}],
    ],
)
def test_block_beyond_the_limits_is_refused(blocks: Any) -> None:
    with pytest.raises(InvalidBlocks):
        check_blocks(blocks)


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "modal", "title": plain(24), "submit": plain(24), "blocks": list(blocks), **more}


@pytest.mark.parametrize(
    "view",
    [
        modal(*[{"type": "divider"}] * 100, private_metadata="x" * 3000, callback_id="x" * 255),
        modal(field("datepicker"), close=plain(24), clear_on_close=True, notify_on_close=True),
        modal({"type": "alert", "text": text(200), "level": "warning"}),
        {"type": "home", "blocks": [{"type": "divider"}] * 99 + [data_table()], "callback_id": "home"},
        {"type": "home", "blocks": []},
    ],
)
def test_view_within_the_limits_is_shown(view: dict[str, Any]) -> None:
    check_view(view, kinds=("modal", "home"))


@pytest.mark.parametrize(
    "view",
    [
        "x",
        {"type": "workflow_step", "blocks": []},
        {"type": "modal", "blocks": []},
        {"type": "home"},
        {"type": "home", "title": plain(), "blocks": []},
        modal(*[{"type": "divider"}] * 101),
        modal(title=plain(25)),
        modal(title=text()),
        modal(submit=plain(25)),
        modal(close=plain(25)),
        modal(private_metadata="x" * 3001),
        modal(private_metadata={"job": "x"}),
        modal(callback_id="x" * 256),
        modal(state={}),
        modal({"type": "markdown", "text": "x"}),
        modal(data_table()),
        modal(chart()),
        modal(field("datepicker", focus_on_load=True), field("datepicker", focus_on_load=True)),
        {"type": "modal", "title": plain(), "blocks": [field("datepicker")]},
    ],
)
def test_view_beyond_the_limits_is_refused(view: Any) -> None:
    with pytest.raises(InvalidBlocks):
        check_view(view, kinds=("modal", "home"))


def test_workspace_may_not_know_a_block_yet() -> None:
    check_blocks([data_table()], refused={"data_visualization"})
    with pytest.raises(InvalidBlocks, match="unsupported type: data_table"):
        check_blocks([data_table()], refused={"data_table"})


def test_options_of_a_menu_with_a_search_have_limits() -> None:
    check_options({"options": []})
    check_options({"options": options(100)})
    wrong: list[Any] = [{}, [], {"options": options(101)}, {"options": [], "option_groups": []}]
    for answer in wrong:
        with pytest.raises(InvalidBlocks):
            check_options(answer)
