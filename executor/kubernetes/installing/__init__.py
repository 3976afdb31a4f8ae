"""What an installation needs of a cluster, how that is printed, and what is missing of it."""
