"""Lessons: what is told over real data, step by step, and what has to have happened before the next step."""
