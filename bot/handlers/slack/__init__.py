"""What people do in Slack: what they type, press, submit, choose and open. One file each."""
