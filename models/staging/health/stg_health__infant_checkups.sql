{{ staging_model('infant_checkups') }}
