"""Command line: a lazy group, and the commands that belong to no one part."""
