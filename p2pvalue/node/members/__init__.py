"""Who is in: joining, leaving, putting out, and a person's own devices."""
