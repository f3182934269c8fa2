{{ staging_model('household_history') }}
