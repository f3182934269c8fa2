{{ staging_model('vaccinations') }}
