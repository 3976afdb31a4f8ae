"""The API and deploy hooks: one table of routes, what each takes and answers, and who may use it."""
