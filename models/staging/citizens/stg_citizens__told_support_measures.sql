{{ staging_model('told_support_measures') }}
