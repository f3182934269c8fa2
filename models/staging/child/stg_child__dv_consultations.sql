{{ staging_model('dv_consultations') }}
