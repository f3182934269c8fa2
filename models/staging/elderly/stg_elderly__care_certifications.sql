{{ staging_model('care_certifications') }}
