{{ staging_model('newborn_visits') }}
