"""What ails a trained model that reads a reasoner's latents: measures, verdicts, figures."""
