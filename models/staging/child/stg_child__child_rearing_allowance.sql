{{ staging_model('child_rearing_allowance') }}
