"""The hops of a VMM's signals as the kernel tells of them: who is woken by a doorbell, who signals an interrupt, when.

Hops, not journeys: from outside nobody sees which doorbell an interrupt answers; but for what one_at_a_time.py says.
"""
