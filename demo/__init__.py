"""A sample repository, and stand-ins for GitHub and Slack as strict as the real ones.

Used by `errand demo` and by the tests; the service itself never imports it.
"""
