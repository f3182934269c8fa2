{{ staging_model('council_cases') }}
