"""What GitHub and Slack send: verified, stored, answered."""
