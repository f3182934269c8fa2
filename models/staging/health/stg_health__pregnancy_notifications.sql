{{ staging_model('pregnancy_notifications') }}
