"""What `errand check` found, as programs read it."""

import json

import pytest

from bot.config.document import TextPosition
from bot.config.findings import Finding
from terminal.findings import Format, annotation, report

FOUND = Finding("deploy/app.yaml", "expected a number", TextPosition(3, 5), "limits.runs")


def test_annotation_has_its_place() -> None:
    told = "::error file=deploy/app.yaml,line=3,col=5::limits.runs: expected a number"
    assert annotation(FOUND) == told


@pytest.mark.parametrize(
    ("finding", "told"),
    [
        (Finding("a.yaml", "x", level="warning"), "::warning file=a.yaml::x"),
        (Finding("a,b:c%.yaml", "x"), "::error file=a%2Cb%3Ac%25.yaml::x"),
        (Finding("a.yaml", "100 %\r\n::error::no"), "::error file=a.yaml::100 %25%0D%0A::error::no"),
        (Finding("a\n::set-env name=x::y", "%0A"), "::error file=a%0A%3A%3Aset-env name=x%3A%3Ay::%250A"),
    ],
)
def test_annotation_cannot_be_left(finding: Finding, told: str) -> None:
    assert annotation(finding) == told


def test_json_is_one_document_of_a_shape_that_stays(capsys: pytest.CaptureFixture[str]) -> None:
    report([FOUND, Finding(".env", "x", level="warning")], Format.JSON)
    assert json.loads(capsys.readouterr().out) == {
        "right": False,
        "findings": [
            {
                "level": "error",
                "file": "deploy/app.yaml",
                "line": 3,
                "column": 5,
                "setting": "limits.runs",
                "message": "expected a number",
            },
            {
                "level": "warning",
                "file": ".env",
                "line": None,
                "column": None,
                "setting": None,
                "message": "x",
            },
        ],
    }
    report([], Format.JSON)
    assert json.loads(capsys.readouterr().out) == {"right": True, "findings": []}
