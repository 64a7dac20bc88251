"""Follow-up: which lesion is which, and what the response criteria say of it."""
