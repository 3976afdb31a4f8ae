"""The objects that runs and builds are made of, as the API takes them. Pure."""
