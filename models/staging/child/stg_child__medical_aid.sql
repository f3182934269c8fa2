{{ staging_model('medical_aid') }}
