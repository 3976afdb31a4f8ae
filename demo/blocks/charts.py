"""Charts. https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block

Where Slack's page has named two limits over time, the smaller one holds here.
"""

from typing import Any

from demo.blocks.checks import Check, array, number, record, refuse, string, typed

SERIES = 6
POINTS = 20

_LABEL = string(20)
_POINT = record({"label": _LABEL, "value": number(whole=False)})
_SERIES = array(record({"name": _LABEL, "data": array(_POINT, POINTS)}), SERIES)
_AXES = record({"categories": array(_LABEL, POINTS)}, {"x_label": string(50), "y_label": string(50)})


def _pie(chart: Any, where: str) -> None:
    segment = record({"label": _LABEL, "value": number(whole=False)})
    record({"segments": array(segment, SERIES)})(chart, where)
    if any(each["value"] <= 0 for each in chart["segments"]):
        raise refuse("values must be greater than 0", f"{where}/segments")


def _plot(chart: Any, where: str) -> None:
    """Each series has a value for each category, in their order."""
    record({"series": _SERIES, "axis_config": _AXES})(chart, where)
    categories = chart["axis_config"]["categories"]
    if len(set(categories)) < len(categories):
        raise refuse("categories must differ", f"{where}/axis_config/categories")
    names = [each["name"] for each in chart["series"]]
    if len(set(names)) < len(names):
        raise refuse("names of series must differ", f"{where}/series")
    for index, each in enumerate(chart["series"]):
        if [point["label"] for point in each["data"]] != categories:
            raise refuse("labels must match the categories", f"{where}/series/{index}/data")


_CHARTS: dict[str, Check] = {"pie": _pie, "bar": _plot, "area": _plot, "line": _plot}


def data_visualization(block: Any, where: str) -> None:
    """A chart, without its `type`."""
    record({"title": string(50), "chart": typed(_CHARTS)})(block, where)
