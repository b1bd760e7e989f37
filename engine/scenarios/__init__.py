"""What guests/*.toml say: which guest, which wiring, which pace, and what the file may hold."""
