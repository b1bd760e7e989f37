"""Figures and events in words, the same on the screen and in the terminal. No Qt in this room."""
