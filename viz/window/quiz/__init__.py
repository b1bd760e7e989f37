"""A quiz in the window: a guest in trouble, of which nothing is shown until its cause has been named."""
