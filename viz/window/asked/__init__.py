"""What is said, and offered, about whatever is clicked."""
