"""The main window: who sits where, menus, keys, files."""
