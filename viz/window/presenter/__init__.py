"""What an audience sees, full screen, and what whoever leads it sees meanwhile."""
