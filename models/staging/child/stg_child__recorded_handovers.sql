{{ staging_model('recorded_handovers') }}
