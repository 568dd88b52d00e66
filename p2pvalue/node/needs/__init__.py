"""What is to be done: needs and projects, pledges to them, and the order of work."""
