"""What makes the window everybody's: worked by keys, heard, and without movement for whoever wants none."""
