"""Views as files: the same picture, to the byte, whoever makes it and wherever; of a recording, at a moment of it."""
