"""Running VMMs of anybody, seen from outside and left alone: what they have registered with KVM, and with whom."""
