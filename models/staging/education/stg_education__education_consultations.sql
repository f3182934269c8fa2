{{ staging_model('education_consultations') }}
