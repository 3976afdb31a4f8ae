"""What the cluster tells of Jobs and pods, and what that means."""
