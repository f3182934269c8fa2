"""Record linkage: predictions, reviews by people, explanations."""
