"""A question about a passage, answered with the passage's own words (extractive reading comprehension)."""
