"""What a session runs: guests, threads and wires, built whole and closed whole."""
