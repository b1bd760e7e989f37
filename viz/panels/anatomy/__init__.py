"""The kernel's ways from a store to an interrupt, stage by stage."""
