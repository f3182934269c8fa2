"""A risk definition, its versions, and the compiled SQL that scores by it."""
