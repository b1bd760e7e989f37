"""What the program costs the thing that it shows, measured in turns. Looks at every other room; none looks here."""
