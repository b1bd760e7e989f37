"""A scenario that runs now: the session and its engine thread."""
