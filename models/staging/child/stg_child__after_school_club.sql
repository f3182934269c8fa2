{{ staging_model('after_school_club') }}
