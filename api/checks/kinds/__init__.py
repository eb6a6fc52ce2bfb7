"""One module a kind of document: what it has to say, read and compared."""
