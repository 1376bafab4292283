"""Reports on ablations: which models are evaluated, and how they differ from one of them."""
