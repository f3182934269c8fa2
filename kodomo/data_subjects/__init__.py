"""Rights of the person concerned: disclosure, correction, deletion, retention."""
