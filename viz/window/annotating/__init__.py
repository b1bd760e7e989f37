"""Writing on the run that is shown: the line to type in, what can be annotated, where it is kept."""
