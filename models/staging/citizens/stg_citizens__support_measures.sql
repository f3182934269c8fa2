{{ staging_model('support_measures') }}
