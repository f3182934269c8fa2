{{ staging_model('recorded_benefit_checks') }}
