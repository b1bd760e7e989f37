"""Other programs that the guest or this process talks with, each in a process of its own."""
