"""The engine: runs a scenario in a real KVM guest and yields events. No Qt anywhere."""
