"""Evidence of items, frozen cohorts, fitting, proposals of coefficients."""
