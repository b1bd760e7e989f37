"""A story as the window shows it: whose it is, which stage, the true time so far."""
