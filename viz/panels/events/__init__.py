"""The table of events and its filter."""
