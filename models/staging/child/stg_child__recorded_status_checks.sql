{{ staging_model('recorded_status_checks') }}
