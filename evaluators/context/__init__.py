"""The context report: the largest inputs that fit a context, and what answers cost."""
