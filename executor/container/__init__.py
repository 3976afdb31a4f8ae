"""Runs jobs in containers of Podman or Docker, in images that it builds with their command line.

May not know how a container came to be wanted; everything that has to outlive Errand is a container of the
engine's, or (a build) a process under a supervisor of `executor.process`.
"""
