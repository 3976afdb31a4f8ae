"""Runs jobs on Kubernetes: every run and every build is a `batch/v1` Job.

`engine` puts it together. `client` is the door to the API, `watching` tells what Jobs and pods there are and
what that means, `objects` is the pure part that says what they are made of, `controller` carries one from its
order to its outcome. `runs` and `building` write the orders, `images` says which image is meant, and
`installing` what all that needs of a cluster. May not know who asked. What has to outlive Errand is the
Job and its pod, and the log with the place up to which it is kept.

Nothing is imported here: the client library takes most of a second, and much of this is needed without it.
"""
