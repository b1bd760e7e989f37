"""What views read, as it was at the moment that they look at."""
