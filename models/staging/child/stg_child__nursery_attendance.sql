{{ staging_model('nursery_attendance') }}
