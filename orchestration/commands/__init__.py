"""One module per command or group: ``register(app)`` adds it. Engines are imported inside the functions."""
