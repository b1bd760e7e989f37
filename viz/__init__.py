"""The window: shows what the engine yields. Importing this package does not import Qt."""
