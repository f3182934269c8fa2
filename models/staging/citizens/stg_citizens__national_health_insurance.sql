{{ staging_model('national_health_insurance') }}
