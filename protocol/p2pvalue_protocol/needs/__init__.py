"""What becomes of needs and pledges: pure functions of the operations held."""
