"""Four tasks beyond CLRS-30, as a plug-in of clrs-text-bench."""
