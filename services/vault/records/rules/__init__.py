"""Content of the documents. Pure."""
