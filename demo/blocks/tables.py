"""Tables. https://docs.slack.dev/reference/block-kit/blocks/data-table-block, .../table-block

Where Slack's page has named two limits over time, the smaller one holds here.
"""

from typing import Any

from demo.blocks.checks import Check, array, boolean, number, one_of, record, refuse, string, typed
from demo.blocks.rich_text import rich_text

COLUMNS = 20
ROWS = 100  # besides the header of a data table
CELL_CHARACTERS = 10_000  # of all tables of a message together

_PLAIN: dict[str, Check] = {
    "raw_text": record({"text": string(CELL_CHARACTERS)}),
    "raw_number": record({"value": number(whole=False), "text": string(CELL_CHARACTERS)}),
}
_CELL = typed({**_PLAIN, "rich_text": rich_text})


def data_table(block: Any, where: str) -> None:
    """A table that sorts; its first row is the header."""
    rows = array(array(_CELL, COLUMNS), ROWS + 1, least=2)
    optional = {"page_size": number(1, 100), "row_header_column_index": number(0)}
    record({"rows": rows, "caption": string(3000)}, optional)(block, where)
    header, *rest = block["rows"]
    for cell, value in enumerate(header):
        typed(_PLAIN)(value, f"{where}/rows/0/{cell}")
    for index, row in enumerate(rest, 1):
        if len(row) != len(header):
            raise refuse("all rows must have the same number of values", f"{where}/rows/{index}")
    if block.get("row_header_column_index", 0) >= len(header):
        raise refuse("there is no such column", f"{where}/row_header_column_index")


def table(block: Any, where: str) -> None:
    """A plain table."""
    settings = record({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})
    nullable = array(lambda value, place: None if value is None else settings(value, place), COLUMNS)
    record({"rows": array(array(_CELL, COLUMNS), ROWS)}, {"column_settings": nullable})(block, where)
