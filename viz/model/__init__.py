"""What every view shows: history, playhead, selection, journeys, rates. No Qt in this room."""
