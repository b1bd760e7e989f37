"""A scenario that runs now: the session and its engine thread, and what is measured by one: the clocks, the cost."""
