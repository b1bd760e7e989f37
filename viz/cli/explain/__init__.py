"""What `bellwire explain` prints: a recording read through once, and its bars for a terminal."""
