{{ staging_model('parentage') }}
