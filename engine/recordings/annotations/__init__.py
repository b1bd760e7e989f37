"""What somebody has written on a run: notes and arrows, and how a recording keeps them."""
