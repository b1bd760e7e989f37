"""A VMM that was recorded from outside, played again: its picture at each moment, and a timeline of its hops."""
