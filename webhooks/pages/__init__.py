"""Pages for people: lists, runs and builds with their logs, live while they are written."""
