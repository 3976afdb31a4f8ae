"""Hands: builds images, runs jobs, keeps their logs.

May not know of GitHub, Slack, runs, jobs or people, nor import from `bot` or `webhooks`: it is told
what to do in the words of `executor.spec` and answers in them. It asks nobody above it.
"""
