"""What the kernel has told, folded: when each journey was where in it, and where the time went."""
