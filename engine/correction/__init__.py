"""A person's contours: read, laid on the reference grid, held against the automatic result."""
