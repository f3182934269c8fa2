{{ staging_model('livelihood_consultations') }}
