{{ staging_model('school_checkups') }}
