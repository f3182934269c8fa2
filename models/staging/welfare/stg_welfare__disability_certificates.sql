{{ staging_model('disability_certificates') }}
