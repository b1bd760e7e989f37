"""What a run shows, claimed in sentences, held to figures, and compared with other runs."""
