"""The agreement between peers: a core without input or output, usable without the rest."""
