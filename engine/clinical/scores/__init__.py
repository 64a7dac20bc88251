"""Published scores and staging systems, computed exactly or refused by name."""
