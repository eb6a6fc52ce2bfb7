"""One module a group of kinds: how such papers look."""
