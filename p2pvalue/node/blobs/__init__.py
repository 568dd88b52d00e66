"""Files that members share: which there are, their chunks, and the room they take."""
