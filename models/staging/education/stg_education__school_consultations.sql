{{ staging_model('school_consultations') }}
