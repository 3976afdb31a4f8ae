"""Decisions: what was asked, may they, what runs, when, and what is said about it.

May not import from `webhooks`, open ports or start processes. Facts come in as `bot.events`, work goes
out as `executor.spec`. It asks the executor, GitHub and Slack (outbound) and the database.
"""
