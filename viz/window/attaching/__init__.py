"""Windows of VMMs that are not this program's own guests: opened beside the main one, or alone."""
