"""A whole city that never existed: the extracts its systems would deliver, and the truth behind them.

The generator has its own definition of what each extract looks like and imports nothing of the pipeline: a generator
that read the pipeline's contract could not find the contract's mistakes.
"""
