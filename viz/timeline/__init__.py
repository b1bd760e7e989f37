"""Lanes over time, from nanoseconds to hours."""
