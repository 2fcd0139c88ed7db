"""Plans, the store of projects, workers and statistics over runs."""
