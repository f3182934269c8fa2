{{ staging_model('recorded_visits') }}
