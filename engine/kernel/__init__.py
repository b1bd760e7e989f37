"""What the kernel itself tells of a signal's way: a small program with privileges, and what it sends."""
