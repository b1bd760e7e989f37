"""Notes and arrows on the diagram: which part each is at, where there is room for it, how it is painted and taken."""
