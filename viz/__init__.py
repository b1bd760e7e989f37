"""The window and the command line: shows what the engine yields. Importing this package does not import Qt."""
