"""Runs as files: written while they happen, read at any place, played as if they happened now."""
