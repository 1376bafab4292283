"""Ways out to what others work with, and back: hubs and harnesses.

They need samples and scores both, so they stand in the core and find engines and evaluators through
the registry. Nothing else imports them.
"""
