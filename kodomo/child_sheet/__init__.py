"""The sheet of one child: what is known, why the score is what it is, the family, what happened when."""
