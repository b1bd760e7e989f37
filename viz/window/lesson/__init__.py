"""A lesson in the window: what plays it, and what shows it."""
