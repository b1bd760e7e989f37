"""Pointing at the diagram: laser, pen, spotlight and zoom, at the same place in every window that shows it."""
