"""The command line. Imports Qt only where a window is about to open."""
