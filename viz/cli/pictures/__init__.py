"""The commands that make pictures, and pictures that move: `bellwire shot`, `bellwire clip`."""
