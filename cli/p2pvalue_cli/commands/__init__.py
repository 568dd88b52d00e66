"""One module for each noun; none is imported before it is used."""
