"""What happened, read from git and DVC: registry, data diff, lineage, why."""
