{{ staging_model('school_aid') }}
