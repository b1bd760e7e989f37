"""Recordings of VMMs that were looked at from outside: events of the kernel, and what was registered meanwhile."""
