"""Which image is meant: what registries and workloads say."""
