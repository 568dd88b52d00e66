"""What concerns the person at this node, told once and seldom."""
