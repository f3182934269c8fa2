{{ staging_model('school_attendance') }}
