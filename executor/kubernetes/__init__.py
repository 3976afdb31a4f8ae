"""Runs jobs on Kubernetes: every run is a `batch/v1` Job. See `engine`."""
