"""Where a signal is: the stages of its way, when each began, and what is certain at a moment. No Qt in this room."""
