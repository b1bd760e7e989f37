"""A lesson as slides: each step with its picture, what is asked and what the run answered, notes for who speaks."""
