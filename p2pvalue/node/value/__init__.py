"""What members did, and who thanks them: contributions, minutes, welcomes, and care."""
