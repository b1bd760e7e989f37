"""Which wires of a picture can be passed at a moment, and which ones something has passed."""
