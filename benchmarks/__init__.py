"""Speed as ratios to a raw program that does the same durable work in the same run."""
