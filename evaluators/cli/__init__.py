"""The commands `evaluate`, `score`, `leaderboard` and `plot`, a file each."""
