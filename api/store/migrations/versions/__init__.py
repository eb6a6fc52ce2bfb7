"""The steps, oldest first by number; none is changed once it has been released."""
