"""Measurements, each against a peer or a floor and in alternation with it: `python -m benchmarks`.

Every module named in `benchmarks.__main__` has `async def rows() -> list[Row]`. What cannot be measured
here (no Node, no network) is a row that says why.
"""
