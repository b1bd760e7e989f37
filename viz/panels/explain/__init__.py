"""Where the time of the journeys goes: bars that add up to the whole, as of the moment that is looked at."""
