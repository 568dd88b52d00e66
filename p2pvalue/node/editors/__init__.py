"""Editors attached to documents, tab by tab, and who else is there."""
