"""Pictures of the window: what it is painted from, and how somebody gets one of what is seen."""
