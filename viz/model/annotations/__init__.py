"""The annotations of the run that is shown: kept, changed, undone, and which of them belong to the moment shown."""
