{{ staging_model('education_support_centre') }}
