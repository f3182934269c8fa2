"""Record linkage: predictions, reviews by stewards, explanations."""
