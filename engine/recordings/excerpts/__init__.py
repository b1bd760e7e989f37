"""A part of a recording, without the rest of it: its journeys, and where in the file they are."""
