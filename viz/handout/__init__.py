"""Documents for students: a lesson to read afterwards, with the pictures and figures of the run that it was told of."""
