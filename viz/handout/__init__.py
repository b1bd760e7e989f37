"""Documents for students: lessons to read afterwards and labs as riddles, with pictures and figures of one run."""
