{{ staging_model('public_assistance') }}
