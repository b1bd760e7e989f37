"""What the command line says of the inside of the kernel."""
