{{ staging_model('heard_observations') }}
