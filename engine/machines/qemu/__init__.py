"""Guests in an unmodified QEMU, which knows nothing of us."""
