{{ staging_model('antenatal_checkups') }}
