"""One HTML file that shows a leaderboard and answers, offline, to whoever opens it."""
