"""The tour of the window: what there is, in a minute, beside a guest that runs."""
