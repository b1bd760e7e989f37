"""What the program costs the thing that it shows, measured in turns. Only the command line looks here."""
