"""Other nodes: how they are found, called and spoken to."""
