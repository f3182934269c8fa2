{{ staging_model('nursery_enrolment') }}
