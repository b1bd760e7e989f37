"""The calls to KVM behind the wires, as structs, bytes and programs."""
