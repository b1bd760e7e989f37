"""The calls behind the wires: what a scenario tells the kernel, byte by byte, and the same in C, Python and Rust.

call.py says what a call is; set_up.py, wires.py, signals.py, guest.py, uring.py and vhost_user.py have a class for
each; of_scenario.py derives the calls of a scenario; program.py makes whole programs of them.
"""
