"""Running VMMs of anybody in the window: which ones there are, and a picture of what one has registered."""
