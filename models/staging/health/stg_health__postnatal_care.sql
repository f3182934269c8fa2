{{ staging_model('postnatal_care') }}
