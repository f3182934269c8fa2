{{ staging_model('child_allowance') }}
