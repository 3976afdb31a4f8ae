"""Carries a run or a build from its order to its outcome."""
