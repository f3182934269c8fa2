{{ staging_model('child_consultations') }}
