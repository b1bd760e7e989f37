"""One journey as a sequence chart, with what is known of each stretch of time."""
