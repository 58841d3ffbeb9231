"""What a model's answers are: compared between engines, scored, timed and shown. It decides nothing."""
