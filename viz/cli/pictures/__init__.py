"""The commands that make pictures: `bellwire shot`."""
