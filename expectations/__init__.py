"""The gate before publication: Great Expectations suites over the warehouse, their results, and the site of them."""
